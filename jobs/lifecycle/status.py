"""What the holder of a lease last knew."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from jobs.lifecycle.record import Record

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
