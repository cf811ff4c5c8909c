"""Following a job to its end, on a terminal, in a file, or as JSON."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Protocol

import typer

from jobs.cli.arguments import EVERY, STORE, AsJson, Every, JobName, StoreFlag
from jobs.cli.format import doing
from jobs.records.report import Report, report
from jobs.records.state import ENDED
from jobs.store.errors import StoreUnreachable
from jobs.store.store import Store
from jobs.text.errors import JobsError


class Screen(Protocol):
    """Where a followed job is shown."""

    def show(self, seen: Report) -> None:
        """Show how the job stands now."""

    def say(self, line: str) -> None:
        """Say something besides."""


def follow(store: Store, job: str, every: float, *, as_json: bool) -> None:
    """Show a job's changes until it ends. Raises JobsError where it has not succeeded."""
    with _screen(as_json=as_json) as screen:
        for seen in _seen(store, job, every, screen):
            screen.show(seen)
    if seen.state != "succeeded":
        raise JobsError(f"{job}: {doing(seen)}")


def _seen(store: Store, job: str, every: float, screen: Screen) -> Iterator[Report]:
    """A look at a time, until the job has ended; outages of the store are waited out."""
    is_cut_off = False
    while True:
        try:
            seen = report(store, job)
        except StoreUnreachable as error:
            if not is_cut_off:
                screen.say(f"{error}; trying again")
            is_cut_off = True
        else:
            if is_cut_off:
                screen.say(f"{store.address}: answers again")
            is_cut_off = False
            yield seen
            if seen.state in ENDED:
                return
        time.sleep(every)


def _screen(*, as_json: bool) -> AbstractContextManager[Screen]:
    if not as_json and sys.stderr.isatty():
        from jobs.cli.live_line import Live

        return Live()
    return nullcontext(_Json() if as_json else _Lines())


class _Lines:
    """On standard error, a line for each change."""

    def __init__(self) -> None:
        self._last = ""

    def show(self, seen: Report) -> None:
        line = f"{seen.job}: {doing(seen)}"
        if line != self._last and seen.state not in ("failed", "cancelled"):
            self.say(line)
        self._last = line

    def say(self, line: str) -> None:
        typer.echo(line, err=True)


class _Json:
    """On standard output, an object for each change."""

    def __init__(self) -> None:
        self._last: Report | None = None

    def show(self, seen: Report) -> None:
        # Age is no change.
        timeless = replace(seen, submitted="", age_seconds=0)
        if timeless != self._last:
            typer.echo(json.dumps(seen.document()))
        self._last = timeless

    def say(self, line: str) -> None:
        typer.echo(line, err=True)


def watch(
    job: JobName, store: StoreFlag = STORE, every: Every = EVERY, as_json: AsJson = False
) -> None:
    """Show how far a job is until it ends: exit code 0 if it has succeeded, else 1.

    With --json, one object on standard output for each change. A store that does not answer is
    waited for.
    """
    from jobs.records.job import find
    from jobs.store.address import open_store

    opened = open_store(store)
    follow(opened, find(opened, job), every, as_json=as_json)
