"""`dreamfarm list`: list the jobs of a store."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.cli.arguments import STORE, AsJson, StoreFlag

if TYPE_CHECKING:
    from jobs.records.report import Report


def list_jobs(
    store: StoreFlag = STORE,
    states: Annotated[
        list[str] | None,
        typer.Option("--state", metavar="STATE", help="Only jobs in this state; repeatable."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the jobs of the store, the newest first."""
    from jobs.records.report import Report
    from jobs.services.client import Store

    _check_states(states or ())
    opened = Store(store)
    found = []
    for report in opened.reports():
        if not isinstance(report, Report):
            typer.echo(f"dreamfarm: {report}", err=True)
        elif not states or report.state in states:
            found.append(report)
    found.sort(key=lambda report: (report.age_seconds, report.job))
    if as_json:
        typer.echo(json.dumps([report.document() for report in found]))
    elif found:
        _print_jobs(found)
    else:
        which = f"{' or '.join(states)} jobs" if states else "jobs"
        typer.echo(f"no {which} in {opened.store.address}")


def _check_states(states: Iterable[str]) -> None:
    from typing import get_args

    from jobs.records.state import State
    from jobs.text.errors import RequestError
    from render.errors import suggest

    for state in states:
        if state not in get_args(State):
            known = suggest(state, get_args(State))
            raise RequestError(f"--state {state}: no such state; {known}")


def _print_jobs(found: "list[Report]") -> None:
    from jobs.cli.format import one_line, print_table
    from jobs.text.report import format_time

    print_table(
        ("job", "state", "priority", "done", "time left", "age", "reason"),
        (
            (
                report.job,
                report.state,
                "" if report.priority is None else report.priority,
                f"{report.progress:.0%}",
                "" if report.eta_seconds is None else format_time(report.eta_seconds),
                format_time(report.age_seconds),
                one_line(report.reason),
            )
            for report in found
        ),
    )
