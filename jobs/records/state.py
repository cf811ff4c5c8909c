"""The states of a job, how they follow from its records, and the allowed transitions."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from jobs.records.keys import MAX_NUMBER
from jobs.records.lease import CurrentLease
from jobs.records.record import SMALL_RECORD, Number, Record
from jobs.records.status import FailureClass, Status
from jobs.spec.base import Limits

Want = Literal["run", "pause", "cancel"]


class Redo(BaseModel):
    """Selects the failed items of a dataset that run again. failure: a class; None means all."""

    model_config = Record.model_config

    failure: FailureClass | None = None


class Intent(Record):
    """What users want a job to do.

    want: run, or pause or cancel at the next step boundary.
    generation: increased by `retry`; a failure counts only in the generation in which it happened.
    redo: the failed items that this generation runs again, besides items that were never run.
    until: pause a poster when so many of its octaves are dreamed: they are its draft. None: do not.
    """

    max_bytes = SMALL_RECORD

    want: Want = "run"
    generation: Number = 0
    redo: Redo | None = None
    until: Annotated[int, Field(ge=1, le=MAX_NUMBER)] | None = None

    def with_want(self, want: Want) -> "Intent":
        """A copy with another `want` in the same generation."""
        return self.model_copy(update={"want": want})

    def is_met_by(self, status: Status | None) -> bool:
        """Whether the draft is complete, so that the job waits for its user."""
        if self.until is None or status is None or status.generation != self.generation:
            return False
        return status.drafted >= self.until


State = Literal["queued", "running", "paused", "succeeded", "failed", "cancelled"]


PauseCause = Literal["user", "draft", "limit"]
"""Why a job is paused: a user asked for it, its draft is complete, or a limit is reached."""


UserRequest = Literal["pause", "resume", "cancel", "retry"]


SchedulerAction = Literal["claim", "let go", "draft", "limit", "fail", "finish", "renew late"]


ENDED: frozenset[State] = frozenset({"succeeded", "failed", "cancelled"})


@dataclass(frozen=True)
class Transition:
    """An allowed transition from one state to another.

    actor, action: what causes the transition. Some actions of a scheduler:
        let go: the holder releases its lease, or dies so that the lease expires.
        renew late: a holder that seemed dead renews its lease before anybody claims the next one.
    only_kind: the only kind of job with this transition; None means any kind.
    """

    before: State
    after: State
    actor: Literal["user", "scheduler"]
    action: UserRequest | SchedulerAction
    only_kind: Literal["poster", "dataset"] | None = None


TRANSITIONS: tuple[Transition, ...] = (
    Transition("queued", "running", "scheduler", "claim"),
    Transition("queued", "paused", "user", "pause"),
    Transition("queued", "cancelled", "user", "cancel"),
    # A request for a running job takes effect at a step boundary, when its holder releases the
    # lease. Until then the request may be changed.
    Transition("running", "paused", "user", "pause"),
    Transition("running", "cancelled", "user", "cancel"),
    Transition("running", "running", "user", "resume"),
    Transition("running", "queued", "scheduler", "let go"),
    # The octaves up to the intent's `until` are dreamed.
    Transition("running", "paused", "scheduler", "draft", only_kind="poster"),
    # `limits.usd` or `limits.hours` is reached.
    Transition("running", "paused", "scheduler", "limit"),
    Transition("running", "failed", "scheduler", "fail"),
    Transition("running", "succeeded", "scheduler", "finish"),
    Transition("paused", "queued", "user", "resume"),
    Transition("paused", "cancelled", "user", "cancel"),
    Transition("failed", "queued", "user", "retry"),
    Transition("cancelled", "queued", "user", "retry"),
    # Retries failed items. Another submit does the same, to run new items.
    Transition("succeeded", "queued", "user", "retry", only_kind="dataset"),
    # The holder obeys the intent at its next step boundary.
    Transition("queued", "running", "scheduler", "renew late"),
    Transition("paused", "running", "scheduler", "renew late"),
    Transition("cancelled", "running", "scheduler", "renew late"),
)


def state_of(
    has_manifest: bool,
    current_lease: CurrentLease | None,
    status: Status | None,
    intent: Intent,
    limits: Limits | None = None,
) -> State:
    """The state of a job, derived from its records; the state itself is never stored.

    Args:
        has_manifest: whether the manifest of the intent's generation exists.
        current_lease: the lease with the highest number; None if there is no lease.
        status: the status under that lease, or None.
        intent: the intent of users.
        limits: of the latest submit; None if they are not known.
    """
    if has_manifest:
        return "succeeded"
    if current_lease is not None and current_lease.is_live:
        return "running"
    if intent.want == "cancel":
        return "cancelled"
    if status is not None and status.failure and status.generation == intent.generation:
        return "failed"
    return "queued" if pause_cause(status, intent, limits) is None else "paused"


def pause_cause(
    status: Status | None, intent: Intent, limits: Limits | None = None
) -> PauseCause | None:
    """Why a job that nobody runs, and that has not ended, is paused; None if it is not.

    A limit comes first: without a higher one, no request lets the job go on.
    """
    is_of_now = status is not None and status.generation == intent.generation
    if status is not None and is_of_now and status.limit and not status.limit.is_raised(limits):
        return "limit"
    if intent.want == "pause":
        return "user"
    return "draft" if intent.is_met_by(status) else None
