"""What a pool is given to do, and what becomes of it."""

from dataclasses import dataclass
from typing import Any

from cluster.errors import ClusterError


@dataclass(frozen=True, slots=True)
class Task:
    """One call of a method, `method(*arguments)`, at whichever member; `id` is the caller's."""

    id: int
    method: str
    arguments: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class Finished:
    """The method returned `value` at `member`; it had been begun `attempts` times."""

    task_id: int
    value: Any
    member: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The task was given up after it had been begun `attempts` times.

    error: the method's own, of its last attempt, or Quarantined. member: where that was.
    """

    task_id: int
    error: Exception
    member: int
    attempts: int


Outcome = Finished | Failed


class Quarantined(ClusterError):  # noqa: N818 - the news is in the name
    """A task whose member was lost each time that it was alone there."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    @property
    def is_for_memory(self) -> bool:
        """Whether its last member was ended because the machine ran out of memory."""
        return "OutOfMemory" in self.reason

    def __str__(self) -> str:
        return f"its worker was lost each time it ran there alone: {self.reason}"
