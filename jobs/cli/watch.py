"""`dreamfarm watch`: follow a job to its end, on a terminal, in a file, or as JSON."""

import signal
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from jobs.cli.arguments import POLL_INTERVAL, STORE, AsJson, JobName, PollInterval, StoreFlag
from jobs.cli.format import echo, echo_json, format_state

if TYPE_CHECKING:
    from jobs.records.job_summary import JobSummary
    from jobs.services.job_handle import Job

_INTERRUPTED = 128 + signal.SIGINT
"""The exit code after Ctrl-C."""


def watch(
    job: JobName,
    store: StoreFlag = STORE,
    every: PollInterval = POLL_INTERVAL,
    as_json: AsJson = False,
) -> None:
    """Show a job's progress until it ends. The exit code is 0 if it succeeds, else 1.

    With --json, each change is an object on standard output. If the store does not answer, the
    command waits for it.
    """
    from jobs.services.client import Store

    follow(Store.existing(store).job(job), every, as_json=as_json)


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
        self._last = ""

    def show(self, summary: "JobSummary") -> None:
        line = f"{summary.job}: {format_state(summary)}"
        if line != self._last and summary.state not in ("failed", "cancelled"):
            self.print_line(line)
        self._last = line

    def print_line(self, line: str) -> None:
        echo(line, err=True)


class _JsonPrinter:
    """Prints an object on standard output for each change."""

    def __init__(self) -> None:
        self._last: JobSummary | None = None

    def show(self, summary: "JobSummary") -> None:
        # A job's age alone is not a change.
        ageless = replace(summary, submitted="", age_seconds=0)
        if ageless != self._last:
            echo_json(summary.document())
        self._last = ageless

    def print_line(self, line: str) -> None:
        echo(line, err=True)
