"""`dreamfarm pause`, `resume`, `cancel` and `retry`: requests of a user to jobs."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.cli.arguments import STORE, AsJson, FailureFlag, JobNames, StoreFlag
from jobs.cli.format import echo, echo_json

if TYPE_CHECKING:
    from jobs.records.state import State
    from jobs.services.job_handle import Job


def pause(jobs: JobNames, store: StoreFlag = STORE, as_json: AsJson = False) -> None:
    """Stop jobs at their next step, or before they start. `resume` continues them."""
    _send_request(
        jobs, store, lambda job: job.pause(), {"running": "will pause at its next step"}, as_json
    )


def resume(
    jobs: JobNames,
    store: StoreFlag = STORE,
    raised: Annotated[
        list[str] | None,
        typer.Option(
            "--raise",
            metavar="AMOUNT",
            help="Raise a job's own limit first: 20 (US dollars), usd=20 or hours=1. Repeatable.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Continue paused jobs. One that has reached `limits.usd` or `limits.hours` needs --raise."""
    from jobs.records.request import parse_raise

    by = parse_raise(raised or ())
    usd, hours = by.get("usd", 0.0), by.get("hours", 0.0)
    messages = {"running": "continues"}
    _send_request(jobs, store, lambda job: job.resume(usd=usd, hours=hours), messages, as_json)


def cancel(jobs: JobNames, store: StoreFlag = STORE, as_json: AsJson = False) -> None:
    """Cancel jobs. Only `retry` starts them again."""
    _send_request(jobs, store, lambda job: job.cancel(), {"running": "will stop soon"}, as_json)


def retry(
    jobs: JobNames,
    store: StoreFlag = STORE,
    only: Annotated[
        str | None, typer.Option("--only", help="`failed`: only the failed items of datasets.")
    ] = None,
    failure: FailureFlag = None,
    as_json: AsJson = False,
) -> None:
    """Run failed or cancelled jobs again, from their last checkpoints.

    A dataset renders its missing items, and tries its failed items again. Works for succeeded
    datasets, too.
    """
    from jobs.records.status import parse_failure
    from jobs.text.errors import RequestError

    if only not in (None, "failed"):
        raise RequestError(f"--only {only}: must be failed")
    chosen = parse_failure(failure)

    messages = {}

    def request(job: "Job") -> "State":
        # An interrupted retry is queued too, and this completes it.
        was_queued = job.state == "queued"
        messages["queued"] = "is queued already" if was_queued else "queued again"
        return job.retry(only_failed=only is not None, failure=chosen)

    _send_request(jobs, store, request, messages, as_json)


def _send_request(
    names: list[str],
    address: str,
    request: "Callable[[Job], State]",
    messages: dict[str, str],
    as_json: bool,
) -> None:
    """Send the same request to many jobs. If one job refuses it, print why, and go on.

    messages: the text to print for a job by its new state; the default is the state.
    """
    from jobs.services.client import Store
    from jobs.store.errors import StoreError
    from jobs.text.errors import JobsError

    store = Store.existing(address)
    code = 0
    for name in names:
        try:
            job = store.job(name)
            state = request(job)
        except StoreError:
            raise
        except JobsError as error:
            echo(f"dreamfarm: {error}", err=True)
            code = max(code, error.exit_code)
            continue
        if as_json:
            echo_json({"job": job.id, "state": state})
        else:
            echo(f"{job.id}: {messages.get(state, state)}")
    if code:
        raise typer.Exit(code)
