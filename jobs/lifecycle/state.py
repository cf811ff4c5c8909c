"""The states of a job: what they follow from, what may follow what, and who may cause it."""

from dataclasses import dataclass
from typing import Literal

from jobs.lifecycle.intent import Intent
from jobs.lifecycle.lease import Standing
from jobs.lifecycle.status import Status

State = Literal["queued", "running", "paused", "succeeded", "failed", "cancelled"]
Request = Literal["pause", "resume", "cancel", "retry"]
Deed = Literal["claim", "let go", "fail", "finish", "come back"]

ENDED: frozenset[State] = frozenset({"succeeded", "failed", "cancelled"})


@dataclass(frozen=True)
class Transition:
    """That a job may go from one state to another, who may cause it, and by what.

    let go: the holder gives its lease back, or dies and lets it run out.
    come back: a holder that was taken for dead renews, before anybody followed it. only: of which
    kind the job must be; None for any.
    """

    before: State
    after: State
    who: Literal["user", "scheduler"]
    by: Request | Deed
    only: Literal["dataset"] | None = None


TRANSITIONS: tuple[Transition, ...] = (
    Transition("queued", "running", "scheduler", "claim"),
    Transition("queued", "paused", "user", "pause"),
    Transition("queued", "cancelled", "user", "cancel"),
    # What users want of a running job happens when its holder lets go, at a step boundary; until
    # then they may want something else.
    Transition("running", "paused", "user", "pause"),
    Transition("running", "cancelled", "user", "cancel"),
    Transition("running", "running", "user", "resume"),
    Transition("running", "queued", "scheduler", "let go"),
    Transition("running", "failed", "scheduler", "fail"),
    Transition("running", "succeeded", "scheduler", "finish"),
    Transition("paused", "queued", "user", "resume"),
    Transition("paused", "cancelled", "user", "cancel"),
    Transition("failed", "queued", "user", "retry"),
    Transition("cancelled", "queued", "user", "retry"),
    # For items that failed; and, by another submit, for those that have come since.
    Transition("succeeded", "queued", "user", "retry", only="dataset"),
    # It reads the intent at its next step boundary and obeys.
    Transition("queued", "running", "scheduler", "come back"),
    Transition("paused", "running", "scheduler", "come back"),
    Transition("cancelled", "running", "scheduler", "come back"),
)


def state_of(
    has_manifest: bool, standing: Standing | None, status: Status | None, intent: Intent
) -> State:
    """The state that follows from what lies in the store; nobody stores it.

    standing, status: of the highest lease; None where there is none.
    """
    if has_manifest:
        return "succeeded"
    if standing is not None and standing.is_live:
        return "running"
    if intent.want == "cancel":
        return "cancelled"
    if status is not None and status.failure and status.generation == intent.generation:
        return "failed"
    return "paused" if intent.want == "pause" else "queued"
