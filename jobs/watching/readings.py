"""What one holder of a job has done so far: how its process tells the scheduler's."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from jobs.lifecycle.record import Record
from jobs.lifecycle.status import Failure

Outcome = Literal["done"] | Failure
"""Of a dataset's item: it is done, or failed for good with a failure of that class."""

_Count = Annotated[int, Field(ge=0)]
_Amount = Annotated[float, Field(ge=0)]


class Use(BaseModel):
    """What a holder's work asks of what it was given: cores and GPUs, and bytes of memory."""

    model_config = Record.model_config

    cores: _Count
    gpus: _Count
    memory: _Count


class Readings(Record):
    """Sums since the holder began, which never fall, and what it works with now.

    steps, megapixel_steps: dreamed by this holder, those included that had to be done again.
    phase_seconds: seconds of all workers together, by what they did. halo_bytes: pixels that went
    from worker to worker. checkpoints, checkpoint_seconds: written, and how long the crew waited.
    retries: crews and pools that were replaced, by the class of the failure. items: of a dataset.
    workers: now. progress: of the job, from 0 to 1. gpu_memory: bytes that each worker has taken of
    its GPU at the most, 0 where it computes on CPUs; empty before it is known. use: now, and until
    it says otherwise; None before it is known.
    """

    steps: _Count = 0
    megapixel_steps: _Amount = 0.0
    phase_seconds: dict[str, _Amount] = Field(default_factory=dict)
    halo_bytes: _Count = 0
    checkpoints: _Count = 0
    checkpoint_seconds: _Amount = 0.0
    retries: dict[Failure, _Count] = Field(default_factory=dict)
    items: dict[Outcome, _Count] = Field(default_factory=dict)
    workers: _Count = 0
    progress: Annotated[float, Field(ge=0, le=1)] = 0.0
    gpu_memory: tuple[_Count, ...] = ()
    use: Use | None = None
