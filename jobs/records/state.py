"""The states of a job: what they follow from, what may follow what, and who may cause it."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from jobs.records.lease import Standing
from jobs.records.record import Record

Failure = Literal["infra", "memory", "input", "bug"]


_Count = Annotated[int, Field(ge=0)]

_Amount = Annotated[float, Field(ge=0)]


class Items(BaseModel):
    """Of a dataset: how many items there are, are done, and have failed, by class."""

    model_config = Record.model_config

    items: _Count
    done: _Count
    failed: dict[Failure, _Count]


class Status(Record):
    """How far a job has come, and why it stands where it stands.

    generation: of the intent that the holder works for.
    phase: a word for what is done now, as `octave 3`.
    octave, octaves, step, steps: the present ones, counted from 1, and how many there are.
    done, total: megapixel-steps; of a dataset, items.
    progress: from 0 to 1.
    rate: of these, a second.
    items: of a dataset, what became of them so far.
    failure: set only when the job has failed for good, and then `reason` says why.
    """

    generation: _Count
    phase: str
    octave: _Count
    octaves: _Count
    step: _Count
    steps: _Count
    done: _Amount
    total: _Amount
    progress: Annotated[float, Field(ge=0, le=1)]
    rate: _Amount | None = None
    eta_seconds: _Amount | None = None
    workers: _Count
    items: Items | None = None
    reason: str | None = None
    failure: Failure | None = None


Want = Literal["run", "pause", "cancel"]


class Redo(BaseModel):
    """Which failed items of a dataset are to be tried again: those of a class, or None for all."""

    model_config = Record.model_config

    failure: Failure | None = None


class Intent(Record):
    """What is wanted, and of which attempt.

    generation: raised by `retry`; a failure counts only in the generation that it happened in.
    redo: of a dataset, what this generation does besides the items that were never done.
    """

    want: Want = "run"
    generation: Annotated[int, Field(ge=0)] = 0
    redo: Redo | None = None

    def wanting(self, want: Want) -> "Intent":
        """Another wish for the same attempt."""
        return self.model_copy(update={"want": want})


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
