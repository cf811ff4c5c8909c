"""`dreamfarm watch`: follow a job to its end, on a terminal, in a file, or as JSON."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import typer

from jobs.cli.arguments import POLL_INTERVAL, STORE, AsJson, JobName, PollInterval, StoreFlag

if TYPE_CHECKING:
    from jobs.records.report import Report
    from jobs.store.store import Store


def watch(
    job: JobName,
    store: StoreFlag = STORE,
    every: PollInterval = POLL_INTERVAL,
    as_json: AsJson = False,
) -> None:
    """Show a job's progress until it ends. The exit code is 0 if it succeeds, else 1.

    With --json: one object on standard output for each change. It waits for a store that does not
    answer.
    """
    from jobs.records.job import find_job_id
    from jobs.store.address import open_store

    opened = open_store(store)
    follow(opened, find_job_id(opened, job), every, as_json=as_json)


def follow(store: "Store", job: str, every: float, *, as_json: bool) -> None:
    """Show a job's changes until it ends. Raises JobsError if it does not succeed."""
    from jobs.cli.format import format_state
    from jobs.text.errors import JobsError

    with _display(as_json=as_json) as display:
        for report in _reports(store, job, every, display):
            display.show(report)
    if report.state != "succeeded":
        raise JobsError(f"{job}: {format_state(report)}")


class _Display(Protocol):
    """The place where a followed job is shown."""

    def show(self, report: "Report") -> None:
        """Show the job's state."""

    def print_line(self, line: str) -> None:
        """Print a message."""


def _reports(store: "Store", job: str, every: float, display: _Display) -> "Iterator[Report]":
    """A report every so many seconds, until the job has ended. Waits out outages of the store."""
    from jobs.records.report import load_report
    from jobs.records.state import ENDED
    from jobs.store.errors import StoreUnreachable

    is_cut_off = False
    while True:
        try:
            report = load_report(store, job)
        except StoreUnreachable as error:
            if not is_cut_off:
                display.print_line(f"{error}; trying again")
            is_cut_off = True
        else:
            if is_cut_off:
                display.print_line(f"{store.address}: answers again")
            is_cut_off = False
            yield report
            if report.state in ENDED:
                return
        time.sleep(every)


def _display(*, as_json: bool) -> AbstractContextManager[_Display]:
    if not as_json and sys.stderr.isatty():
        from jobs.cli.progress import JobBar

        return JobBar()
    return nullcontext(_JsonPrinter() if as_json else _LinePrinter())


class _LinePrinter:
    """Prints a line on standard error for each change."""

    def __init__(self) -> None:
        self._last = ""

    def show(self, report: "Report") -> None:
        from jobs.cli.format import format_state

        line = f"{report.job}: {format_state(report)}"
        if line != self._last and report.state not in ("failed", "cancelled"):
            self.print_line(line)
        self._last = line

    def print_line(self, line: str) -> None:
        typer.echo(line, err=True)


class _JsonPrinter:
    """Prints an object on standard output for each change."""

    def __init__(self) -> None:
        self._last: Report | None = None

    def show(self, report: "Report") -> None:
        # A job's age alone is not a change.
        ageless = replace(report, submitted="", age_seconds=0)
        if ageless != self._last:
            typer.echo(json.dumps(report.document()))
        self._last = ageless

    def print_line(self, line: str) -> None:
        typer.echo(line, err=True)
