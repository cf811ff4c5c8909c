"""How a scheduler tells its operator what happens: a line for people, or an object for programs."""

import logging
from typing import Protocol

from jobs.watching.lines import EVENTS, facts

_BAD = {"cut off", "left alone", "failed"}


class Say(Protocol):
    """Tells one thing: event, in a word or two; the line for people; the job that it is of."""

    def __call__(self, event: str, line: str, job: str | None = None, /) -> None: ...


def say_for_programs(event: str, line: str, job: str | None = None, /) -> None:
    """Where this process logs lines for programs."""
    level = logging.WARNING if event in _BAD else logging.INFO
    EVENTS.log(level, line, extra=facts(event=event, job=job))
