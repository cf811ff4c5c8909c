"""`dreamfarm submit`: put a job into the store."""

from typing import TYPE_CHECKING, Annotated

import typer

from jobs.cli.arguments import (
    POLL_INTERVAL,
    STORE,
    AsJson,
    Create,
    Draft,
    FitFlag,
    FocusFlag,
    JobFlags,
    LayerFlag,
    LikeFlag,
    LookFlag,
    NetworkFlag,
    PollInterval,
    SetFlags,
    SizeFlag,
    SpecOrPicture,
    StoreFlag,
    Until,
    WeightsFlag,
    Workers,
    read_spec,
)
from jobs.cli.format import echo, echo_json

if TYPE_CHECKING:
    from jobs.runtime.upload import SubmitResult


def submit(
    path: SpecOrPicture,
    store: StoreFlag = STORE,
    create: Create = False,
    size: SizeFlag = None,
    fit: FitFlag = None,
    focus: FocusFlag = None,
    network: NetworkFlag = None,
    weights: WeightsFlag = None,
    layer: LayerFlag = None,
    look: LookFlag = None,
    like: LikeFlag = None,
    until: Until = None,
    draft: Draft = None,
    workers: Workers = None,
    settings: SetFlags = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Then follow the job, like `watch JOB`.")
    ] = False,
    every: PollInterval = POLL_INTERVAL,
    as_json: AsJson = False,
) -> None:
    """Put a job into the store, and print its id. An identical spec returns the existing job.

    Specs are identical if their pictures and weights are, too. Submitting one again changes only
    its priority, crew and limits.
    """
    from jobs.planning.draft import draft_limit
    from jobs.records.keys import ACTIVE
    from jobs.services.client import Store

    opened = Store(store, create=create)
    opened.check_may_submit()
    # Fail before the planning if the store cannot be reached.
    next(opened.store.list_objects(ACTIVE), None)
    flags = JobFlags(size, fit, focus, network, weights, layer, look, like)
    spec = read_spec(path, workers, settings, flags, store)
    result = opened.submit_spec(spec, draft_limit(until, draft))
    if as_json:
        echo_json(_document(result))
    else:
        echo(result.job)
        echo(f"{result.job}: {_next_hint(result)}", err=True)
    if result.note is not None:
        echo(f"{result.job}: {result.note}", err=True)
    if watch:
        from jobs.cli.watch import follow

        follow(opened.job(result.job), every, as_json=as_json)


def _document(result: "SubmitResult") -> dict[str, object]:
    document: dict[str, object] = {"job": result.job, "state": result.state, "new": result.new}
    return document if result.items is None else {**document, "items": result.items}


def _next_hint(result: "SubmitResult") -> str:
    """The state of the job, and the command to run next."""
    job, state = result.job, result.state
    added = f", {result.items} items" if result.items else ""
    if (result.new or added) and state == "queued":
        return f"queued{added}; `dreamfarm work` renders it"
    known = f"is already in the store, {state}"
    if state == "succeeded":
        return f"{known}; `dreamfarm fetch {job}` downloads its results"
    if state in ("failed", "cancelled"):
        return f"{known}; `dreamfarm retry {job}` runs it again"
    if state == "paused":
        return f"{known}; `dreamfarm resume {job}` continues it"
    return f"{known}; `dreamfarm watch {job}` shows its progress"
