"""The tasks of a pool and their outcomes."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Task:
    """One call, `method(*arguments)`, on any member. The caller chooses a unique `id`."""

    id: int
    method: str
    arguments: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class Finished:
    """The method returned `value`.

    member: the member that ran it.
    attempts: how often the task was started, this time included.
    """

    task_id: int
    value: Any
    member: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The task failed, and the pool does not retry it.

    error: the last attempt's exception, or Quarantined.
    member: the member of the last attempt.
    attempts: how often the task was started.
    """

    task_id: int
    error: Exception
    member: int
    attempts: int


Outcome = Finished | Failed
