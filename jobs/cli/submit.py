"""`dreamfarm submit`: a job into the store."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.cli.arguments import (
    EVERY,
    STORE,
    AsJson,
    Every,
    LayerFlag,
    LookFlag,
    NetworkFlag,
    Settings,
    SizeFlag,
    StoreFlag,
    WeightsFlag,
    What,
    Workers,
)

if TYPE_CHECKING:
    from jobs.runtime.upload import Submitted


def submit(
    what: What,
    store: StoreFlag = STORE,
    size: SizeFlag = None,
    network: NetworkFlag = None,
    weights: WeightsFlag = None,
    layer: LayerFlag = None,
    look: LookFlag = None,
    workers: Workers = None,
    settings: Settings = None,
    watch: Annotated[bool, typer.Option("--watch", help="Then do as `watch JOB` does.")] = False,
    every: Every = EVERY,
    as_json: AsJson = False,
) -> None:
    """Put a job into the store, and print its id; what is there already is found again.

    The same spec, with the same pictures and weights, is the same job. Submitting it again changes
    its priority, crew and limits, and nothing else.
    """
    from jobs.cli.spec_arguments import Flags, requested
    from jobs.records.keys import ACTIVE
    from jobs.services.submit import submit_any
    from jobs.store.address import open_store

    opened = open_store(store)
    # Whether it can be reached should not be said after all the planning.
    next(opened.entries(ACTIVE), None)
    spec = requested(what, Flags(size, network, weights, layer, look), workers, settings or ())
    found = submit_any(opened, spec)
    if as_json:
        typer.echo(json.dumps(_document(found)))
    else:
        typer.echo(found.job)
        typer.echo(f"{found.job}: {_follows(found)}", err=True)
    if watch:
        from jobs.cli.following import follow

        follow(opened, found.job, every, as_json=as_json)


def _document(found: "Submitted") -> dict[str, object]:
    told: dict[str, object] = {"job": found.job, "state": found.state, "new": found.new}
    return told if found.items is None else {**told, "items": found.items}


def _follows(found: "Submitted") -> str:
    """Whether it is new, and what comes next."""
    job, state = found.job, found.state
    added = f", {found.items} items" if found.items else ""
    if (found.new or added) and state == "queued":
        return f"queued{added}; `dreamfarm work` renders it"
    known = f"is in the store already, {state}"
    if state == "succeeded":
        return f"{known}; `dreamfarm fetch {job}` brings its results"
    if state in ("failed", "cancelled"):
        return f"{known}; `dreamfarm retry {job}` runs it again"
    if state == "paused":
        return f"{known}; `dreamfarm resume {job}` goes on with it"
    return f"{known}; `dreamfarm watch {job}` shows how far it is"
