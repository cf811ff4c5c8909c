"""What users want of a job. The last writer wins."""

from typing import Annotated, Literal

from pydantic import Field

from jobs.lifecycle.record import Record

Want = Literal["run", "pause", "cancel"]


class Intent(Record):
    """What is wanted, and of which attempt.

    generation: raised by `retry`; a failure counts only in the generation that it happened in.
    """

    want: Want = "run"
    generation: Annotated[int, Field(ge=0)] = 0

    def wanting(self, want: Want) -> "Intent":
        """Another wish for the same attempt."""
        return Intent(want=want, generation=self.generation)
