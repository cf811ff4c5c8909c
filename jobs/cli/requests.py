"""`dreamfarm pause`, `resume`, `cancel`, `retry`: what users may ask of jobs."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.cli.arguments import STORE, AsJson, FailureClass, JobNames, StoreFlag

if TYPE_CHECKING:
    from jobs.records.state import State
    from jobs.store.store import Store


def pause(jobs: JobNames, store: StoreFlag = STORE, as_json: AsJson = False) -> None:
    """Stop jobs at their next step, or before they start; `resume` goes on with them."""
    from jobs.records import request

    _ask(jobs, store, request.pause, {"running": "will pause at its next step"}, as_json)


def resume(jobs: JobNames, store: StoreFlag = STORE, as_json: AsJson = False) -> None:
    """Go on with paused jobs."""
    from jobs.records import request

    _ask(jobs, store, request.resume, {"running": "goes on"}, as_json)


def cancel(jobs: JobNames, store: StoreFlag = STORE, as_json: AsJson = False) -> None:
    """End jobs for good; only `retry` brings them back."""
    from jobs.records import request

    _ask(jobs, store, request.cancel, {"running": "will stop soon"}, as_json)


def retry(
    jobs: JobNames,
    store: StoreFlag = STORE,
    only: Annotated[
        str | None, typer.Option("--only", help="`failed`: of datasets, the items that failed.")
    ] = None,
    failure: FailureClass = None,
    as_json: AsJson = False,
) -> None:
    """Run failed or cancelled jobs once more, from their last checkpoints.

    Datasets do what is missing, and try their failed items again, also those that have succeeded.
    """
    from jobs.dataset.requests import checked_failure
    from jobs.records import request
    from jobs.records.state import Redo
    from jobs.text.errors import RequestError

    if only not in (None, "failed"):
        raise RequestError(f"--only {only}: must be failed")
    chosen = checked_failure(failure)
    redo = Redo(failure=chosen) if only or chosen else None

    def ask(opened: "Store", job: str) -> "State":
        return request.retry(opened, job, redo)

    _ask(jobs, store, ask, {"queued": "queued again"}, as_json)


def _ask(
    names: list[str],
    address: str,
    ask: "Callable[[Store, str], State]",
    words: dict[str, str],
    as_json: bool,
) -> None:
    """Ask the same of many jobs; what one does not allow is told, and the others are asked."""
    from jobs.records.job import find
    from jobs.store.address import open_store
    from jobs.store.errors import StoreError
    from jobs.text.errors import JobsError

    store = open_store(address)
    code = 0
    for name in names:
        try:
            job = find(store, name)
            state = ask(store, job)
        except StoreError:
            raise
        except JobsError as error:
            typer.echo(f"dreamfarm: {error}", err=True)
            code = max(code, error.exit_code)
            continue
        told = json.dumps({"job": job, "state": state})
        typer.echo(told if as_json else f"{job}: {words.get(state, state)}")
    if code:
        raise typer.Exit(code)
