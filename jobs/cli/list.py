"""`dreamfarm list`: list the jobs of a store."""

import math
import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.cli.arguments import STORE, AsJson, StoreFlag
from jobs.cli.completion import complete_states
from jobs.cli.format import echo, echo_json, print_table

if TYPE_CHECKING:
    from jobs.records.job_summary import JobSummary


def list_jobs(
    store: StoreFlag = STORE,
    states: Annotated[
        list[str] | None,
        typer.Option(
            "--state",
            metavar="STATE",
            help="Only jobs in this state; repeatable.",
            autocompletion=complete_states,
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="GLOB", help="Only jobs whose name or id matches: 'sky*'."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="Only jobs submitted so recently: 12h, 2d."),
    ] = None,
    submitter: Annotated[
        str | None,
        typer.Option(
            "--submitter", metavar="GLOB", help="Only jobs of a user, or of 'USER@HOST': 'ann*'."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the jobs of the store, the newest first."""
    from jobs.records.job import list_job_ids
    from jobs.records.job_summary import JobSummary, load_summaries
    from jobs.services.client import Store

    _check_states(states or ())
    youngest = math.inf if since is None else _seconds(since)
    opened = Store.existing(store)
    ids = (job for job in list_job_ids(opened.store) if name is None or _matches(job, name))
    summaries = []
    for summary in load_summaries(opened.store, ids):
        if not isinstance(summary, JobSummary):
            echo(f"dreamfarm: {summary}", err=True)
        elif (
            (not states or summary.state in states)
            and summary.age_seconds <= youngest
            and (submitter is None or _is_by(summary.submitter, submitter))
        ):
            summaries.append(summary)
    summaries.sort(key=lambda summary: (summary.age_seconds, summary.job))
    if as_json:
        echo_json([summary.document() for summary in summaries])
    elif summaries:
        _print_jobs(summaries)
    else:
        which = f"{' or '.join(states)} jobs" if states else "jobs"
        which += f" named {name}" if name is not None else ""
        which += f" of the last {since}" if since is not None else ""
        which += f" by {submitter}" if submitter is not None else ""
        echo(f"no {which} in {opened.store.address}")


def _check_states(states: Iterable[str]) -> None:
    from typing import get_args

    from jobs.records.state import State
    from jobs.text.errors import RequestError
    from render.errors import suggest

    for state in states:
        if state not in get_args(State):
            known = suggest(state, get_args(State))
            raise RequestError(f"--state {state}: no such state; {known}")


def _matches(job: str, pattern: str) -> bool:
    """Whether a pattern matches a job's id, or its name, which is the id without the hash."""
    return fnmatchcase(job, pattern) or fnmatchcase(job.rpartition("-")[0], pattern)


def _is_by(submitter: str | None, pattern: str) -> bool:
    """Whether a pattern matches `user@host`, or the user alone."""
    if submitter is None:
        return False
    return fnmatchcase(submitter, pattern) or fnmatchcase(submitter.rpartition("@")[0], pattern)


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
"""Seconds."""


def _seconds(text: str) -> float:
    """The seconds of a time such as `90s`, `30m`, `12h`, `2d` or `1w`. Raises RequestError."""
    from jobs.text.errors import RequestError

    number, unit = text[:-1], text[-1:]
    if unit not in _UNITS or not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", number, re.ASCII):
        raise RequestError(f"--since {text}: write a number and a unit: 90s, 30m, 12h, 2d or 1w")
    return float(number) * _UNITS[unit]


_HEADINGS = (
    *("job", "state", "done", "time left", "age", "look", "size", "duration", "spent"),
    *("priority", "submitter", "holder", "reason"),
)

_DISPENSABLE = (
    *("holder", "submitter", "size", "priority", "spent", "duration", "look", "time left", "age"),
)
"""The columns that a narrow terminal goes without, the first ones first."""


def _print_jobs(summaries: "list[JobSummary]") -> None:
    print_table(_HEADINGS, map(_row, summaries), dispensable=_DISPENSABLE)


def _row(summary: "JobSummary") -> tuple[object, ...]:
    from jobs.text.report import format_time, one_line

    def known_time(seconds: float | None) -> str:
        return "" if seconds is None else format_time(seconds)

    return (
        summary.job,
        summary.state,
        _done(summary),
        known_time(summary.eta_seconds),
        format_time(summary.age_seconds),
        summary.look or "",
        one_line(summary.size),
        known_time(summary.seconds),
        _spent(summary),
        "" if summary.priority is None else summary.priority,
        one_line(summary.submitter),
        summary.holder or "",
        one_line(summary.reason),
    )


def _spent(summary: "JobSummary") -> str:
    """What the workers have cost; without a price, their time."""
    from jobs.records.spending import format_amount
    from jobs.text.report import format_time

    spent = summary.spent
    if spent is None or not spent.worker_seconds:
        return ""
    return format_amount("usd", spent.usd) if spent.usd else format_time(spent.worker_seconds)


def _done(summary: "JobSummary") -> str:
    """How much is done, and how many items of a dataset failed."""
    failed = sum((summary.items or {}).get("failed", {}).values())
    return f"{summary.progress:.0%}, {failed} failed" if failed else f"{summary.progress:.0%}"
