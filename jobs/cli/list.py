"""`dreamfarm list`: list the jobs of a store."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.cli.arguments import STORE, AsJson, StoreFlag
from jobs.cli.format import echo, echo_json, print_table

if TYPE_CHECKING:
    from jobs.records.job_summary import JobSummary


def list_jobs(
    store: StoreFlag = STORE,
    states: Annotated[
        list[str] | None,
        typer.Option("--state", metavar="STATE", help="Only jobs in this state; repeatable."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the jobs of the store, the newest first."""
    from jobs.records.job_summary import JobSummary
    from jobs.services.client import Store

    _check_states(states or ())
    opened = Store.existing(store)
    summaries = []
    for summary in opened.summaries():
        if not isinstance(summary, JobSummary):
            echo(f"dreamfarm: {summary}", err=True)
        elif not states or summary.state in states:
            summaries.append(summary)
    summaries.sort(key=lambda summary: (summary.age_seconds, summary.job))
    if as_json:
        echo_json([summary.document() for summary in summaries])
    elif summaries:
        _print_jobs(summaries)
    else:
        which = f"{' or '.join(states)} jobs" if states else "jobs"
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


def _print_jobs(summaries: "list[JobSummary]") -> None:
    from jobs.text.report import format_time, one_line

    print_table(
        ("job", "state", "priority", "done", "time left", "age", "reason"),
        (
            (
                summary.job,
                summary.state,
                "" if summary.priority is None else summary.priority,
                _done(summary),
                "" if summary.eta_seconds is None else format_time(summary.eta_seconds),
                format_time(summary.age_seconds),
                one_line(summary.reason),
            )
            for summary in summaries
        ),
    )


def _done(summary: "JobSummary") -> str:
    """How much is done, and how many items of a dataset failed."""
    failed = sum((summary.items or {}).get("failed", {}).values())
    return f"{summary.progress:.0%}, {failed} failed" if failed else f"{summary.progress:.0%}"
