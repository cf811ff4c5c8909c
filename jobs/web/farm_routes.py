"""The route of the farm: who works on what, what waits, what failed."""

from collections import Counter
from typing import get_args

from fastapi import APIRouter

from jobs.records.state import ENDED, State
from jobs.records.status import FailureClass
from jobs.store.errors import StoreError
from jobs.web.farm import Farm, TheFarm
from jobs.web.guard import API
from jobs.web.models import Answer, IndexView

router = APIRouter(prefix=f"{API}/farm", tags=["farm"])


class StoreView(Answer):
    """The store. milliseconds: of its last answer to a listing."""

    address: str
    answers: bool
    detail: str | None
    milliseconds: int | None


class HolderView(Answer):
    """Who runs a job. lease_age_seconds: since its last sign of life."""

    holder: str
    job: str
    workers: int | None
    rate: float | None
    progress: float
    eta_seconds: float | None
    lease_age_seconds: float | None


class FarmView(Answer):
    """The farm now. failures: failed jobs by class. ended: of the jobs that are known so far."""

    store: StoreView
    open: dict[State, int]
    queue_age_seconds: int | None
    holders: tuple[HolderView, ...]
    failures: dict[FailureClass, int]
    ended: dict[State, int]
    index: IndexView


@router.get("")
def show_farm(farm: TheFarm) -> FarmView:
    """Show who works on what, what waits, and what failed."""
    try:
        farm.index.refresh(farm.settings.refresh_seconds)
        detail = None
    except StoreError as error:
        detail = str(error)
    views = farm.index.views()
    states = Counter(view.state for view in views)
    failures = Counter(view.failure for view in views if view.failure is not None)
    ages = [view.age_seconds for view in farm.index.open_views() if view.state == "queued"]
    open_states = [state for state in get_args(State) if state not in ENDED]
    return FarmView(
        store=StoreView(
            address=farm.store.address,
            answers=detail is None,
            detail=detail,
            milliseconds=farm.index.store_milliseconds,
        ),
        open={state: states[state] for state in open_states},
        queue_age_seconds=max(ages, default=None),
        holders=_holders(farm),
        failures={failure: failures[failure] for failure in get_args(FailureClass)},
        ended={state: states[state] for state in sorted(ENDED)},
        index=farm.index.progress(),
    )


def _holders(farm: Farm) -> tuple[HolderView, ...]:
    running = (view for view in farm.index.open_views() if view.holder is not None)
    return tuple(
        HolderView(
            holder=view.holder or "",
            job=view.job,
            workers=view.workers,
            rate=view.rate,
            progress=view.progress,
            eta_seconds=view.eta_seconds,
            lease_age_seconds=farm.index.lease_age(view.job),
        )
        for view in running
    )
