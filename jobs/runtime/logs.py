"""Logs for programs: a JSON object a line, each with the job and the worker that it is of."""

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

LogFormat = Literal["text", "json"]


LOG = logging.getLogger("dreamfarm")
"""What this process says of its work."""


EVENTS = logging.getLogger("dreamfarm-events")
"""What happens, as `dreamfarm logs` tells it; no child of the other, which keeps no events."""


class JsonLines(logging.Formatter):
    """time, in UTC; level; event, in a word or two, `log` for what is only said; message; job;
    worker, its number in the crew; then whatever else is known. What there is none of is null.

    always: facts of every line, such as the job of this process.
    """

    def __init__(self, always: Mapping[str, str | int | None]) -> None:
        super().__init__()
        self._always = dict(always)

    def format(self, record: logging.LogRecord) -> str:
        """One line, whatever is in it."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        facts: dict[str, Any] = {
            "time": time,
            "level": record.levelname.lower(),
            "event": "log",
            "message": record.getMessage(),
            "job": None,
            "worker": None,
        }
        return json.dumps(facts | self._always | getattr(record, "facts", {}), default=str)


def facts(**known: str | float | None) -> dict[str, dict[str, str | float | None]]:
    """The `extra` of a record: what lines for programs say besides its message."""
    return {"facts": known}


def log_lines(always: Mapping[str, str | int | None]) -> None:
    """From now on write what this process logs to standard error, for programs."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(always))
    for logger in (LOG, EVENTS):
        logger.setLevel(logging.INFO)
        logger.addHandler(handler)
        logger.propagate = False


_BAD = {"cut off", "left alone", "failed"}


class Say(Protocol):
    """Tells one thing: event, in a word or two; the line for people; the job that it is of."""

    def __call__(self, event: str, line: str, job: str | None = None, /) -> None: ...


def say_for_programs(event: str, line: str, job: str | None = None, /) -> None:
    """Where this process logs lines for programs."""
    level = logging.WARNING if event in _BAD else logging.INFO
    EVENTS.log(level, line, extra=facts(event=event, job=job))
