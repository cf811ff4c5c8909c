"""`dreamfarm watch`: follow jobs to their end, on a terminal, in a file, or as JSON."""

import signal
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import typer

from jobs.cli.arguments import POLL_INTERVAL, STORE, AsJson, JobNames, PollInterval, StoreFlag
from jobs.cli.format import echo, echo_json, format_state

if TYPE_CHECKING:
    from jobs.records.job_summary import JobSummary
    from jobs.services.job_handle import Job
    from jobs.store.store import Store

_INTERRUPTED = 128 + signal.SIGINT
"""The exit code after Ctrl-C."""


def watch(
    jobs: JobNames,
    store: StoreFlag = STORE,
    every: PollInterval = POLL_INTERVAL,
    as_json: AsJson = False,
) -> None:
    """Show the progress of jobs until all have ended. The exit code is 0 if all succeed, else 1.

    With --json, each change is an object on standard output. If the store does not answer, the
    command waits for it.
    """
    from jobs.services.client import Store

    opened = Store.existing(store)
    found = list({job.id: job for job in map(opened.job, jobs)}.values())
    if len(found) == 1:
        follow(found[0], every, as_json=as_json)
    else:
        _follow_all(opened.store, [job.id for job in found], every, as_json=as_json)


def follow(job: "Job", every: float, *, as_json: bool) -> None:
    """Show a job's changes until it ends. Raises JobsError if it does not succeed."""
    from jobs.text.errors import JobsError

    try:
        with _display(as_json=as_json) as display:
            for summary in job.watch(every, display.print_line):
                display.show(summary)
    except KeyboardInterrupt:
        echo(
            f"dreamfarm: interrupted; the job goes on: `dreamfarm watch {job.id}` follows it "
            f"again, and `dreamfarm pause {job.id}` stops it",
            err=True,
        )
        sys.exit(_INTERRUPTED)
    if summary.state != "succeeded":
        raise JobsError(f"{job.id}: {format_state(summary)}")


def _follow_all(store: "Store", jobs: list[str], every: float, *, as_json: bool) -> None:
    """Show the changes of several jobs until all have ended. Exits with the worst code."""
    from jobs.services.watching import watch_jobs
    from jobs.text.errors import JobsError

    failures: dict[str, JobsError] = {}
    try:
        with _display(as_json=as_json) as display:
            for job, found in watch_jobs(store, jobs, every, display.print_line):
                if isinstance(found, JobsError):
                    failures[job] = found
                    continue
                display.show(found)
                if found.state in ("failed", "cancelled"):
                    failures[job] = JobsError(f"{job}: {format_state(found)}")
    except KeyboardInterrupt:
        echo(
            f"dreamfarm: interrupted; the jobs go on: `dreamfarm watch {' '.join(jobs)}` follows "
            "them again",
            err=True,
        )
        sys.exit(_INTERRUPTED)
    for error in failures.values():
        echo(f"dreamfarm: {error}", err=True)
    if failures:
        raise typer.Exit(max(error.exit_code for error in failures.values()))


class _Display(Protocol):
    """The place where a followed job is shown."""

    def show(self, summary: "JobSummary") -> None:
        """Show the job's state."""

    def print_line(self, line: str) -> None:
        """Print a message."""


def _display(*, as_json: bool) -> AbstractContextManager[_Display]:
    if not as_json and sys.stderr.isatty():
        from jobs.cli.progress import JobBar

        return JobBar()
    return nullcontext(_JsonPrinter() if as_json else _LinePrinter())


class _LinePrinter:
    """Prints a line on standard error for each change."""

    def __init__(self) -> None:
        self._last: dict[str, str] = {}

    def show(self, summary: "JobSummary") -> None:
        line = f"{summary.job}: {format_state(summary)}"
        if line != self._last.get(summary.job) and summary.state not in ("failed", "cancelled"):
            self.print_line(line)
        self._last[summary.job] = line

    def print_line(self, line: str) -> None:
        echo(line, err=True)


class _JsonPrinter:
    """Prints an object on standard output for each change."""

    def __init__(self) -> None:
        self._last: dict[str, JobSummary] = {}

    def show(self, summary: "JobSummary") -> None:
        # A job's age alone is not a change.
        ageless = replace(summary, submitted="", age_seconds=0)
        if ageless != self._last.get(summary.job):
            echo_json(summary.document())
        self._last[summary.job] = ageless

    def print_line(self, line: str) -> None:
        echo(line, err=True)
