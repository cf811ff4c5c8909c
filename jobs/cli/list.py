"""`dreamfarm list`: the jobs in a store."""

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
    """List the store's jobs, the newest first."""
    from jobs.records.job import jobs
    from jobs.records.report import Report, reports
    from jobs.store.address import open_store

    _check(states or ())
    opened = open_store(store)
    found = []
    for one in reports(opened, jobs(opened)):
        if not isinstance(one, Report):
            typer.echo(f"dreamfarm: {one}", err=True)
        elif not states or one.state in states:
            found.append(one)
    found.sort(key=lambda one: (one.age_seconds, one.job))
    if as_json:
        typer.echo(json.dumps([one.document() for one in found]))
    elif found:
        _show(found)
    else:
        which = f"{' or '.join(states)} jobs" if states else "jobs"
        typer.echo(f"no {which} in {opened.address}")


def _check(states: Iterable[str]) -> None:
    from typing import get_args

    from jobs.records.state import State
    from jobs.text.errors import RequestError
    from render.errors import suggestion

    for state in states:
        if state not in get_args(State):
            known = suggestion(state, get_args(State))
            raise RequestError(f"--state {state}: no such state; {known}")


def _show(found: "list[Report]") -> None:
    from jobs.cli.format import one_line, show_table, spoken_time

    show_table(
        ("job", "state", "priority", "done", "time left", "age", "reason"),
        (
            (
                one.job,
                one.state,
                "" if one.priority is None else one.priority,
                f"{one.progress:.0%}",
                "" if one.eta_seconds is None else spoken_time(one.eta_seconds),
                spoken_time(one.age_seconds),
                one_line(one.reason),
            )
            for one in found
        ),
    )
