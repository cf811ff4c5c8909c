"""What users want of a job. The last writer wins."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from jobs.lifecycle.record import Record
from jobs.lifecycle.status import Failure

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
