"""The class of an error, and the decision whether to retry. All functions are pure."""

import traceback
from typing import Literal

from cluster.errors import ClusterError, InsufficientCapacity, MemberFailed, MemberLost
from jobs.records.status import FailureClass
from jobs.store.errors import ObjectNotFound, ObjectTooLarge, StoreError
from jobs.text.errors import (
    InvalidRecord,
    LeaseLost,
    MachineMismatch,
    MachineTooSmall,
    RequestError,
    VersionMismatch,
)
from render.errors import DamagedTiles, DeviceError, OutputError, RenderError

MACHINE_ERRORS = (MachineMismatch, MachineTooSmall, VersionMismatch, DeviceError)
"""Errors of this machine, not of the job. Another machine may run it."""


RetryDecision = Literal["again", "frugally", "let go", "fail"]
"""again: with a new crew, from the last commit. frugally: the same, with one tile in memory at a
time. let go: the job goes back to the queue. fail: the job has failed."""


_TRANSIENT = (
    ClusterError,
    StoreError,
    ObjectNotFound,
    LeaseLost,
    DamagedTiles,
    OutputError,
    OSError,
    *MACHINE_ERRORS,
)
"""Errors that another crew, holder or machine might avoid."""


_MAX_LOSSES = 3
"""Crews that may be lost in a row without progress before the job goes back to the queue."""


def failure_class(error: BaseException) -> FailureClass:
    """The class of an error that ended a render."""
    if _is_out_of_memory(error):
        return "memory"
    if isinstance(error, MemberFailed):
        return "bug"
    if isinstance(error, _TRANSIENT) or type(error).__module__.startswith("ray."):
        return "infra"
    if isinstance(error, RenderError | RequestError | InvalidRecord | ObjectTooLarge):
        return "input"
    return "bug"


def retry_decision(error: BaseException, losses: int, *, is_frugal: bool) -> RetryDecision:
    """Decide what to do after an error.

    losses: crews lost in a row without progress, including this one. is_frugal: whether the crew
    already held only one tile in memory at a time.
    """
    kind = failure_class(error)
    if kind == "memory":
        return "fail" if is_frugal else "frugally"
    if kind != "infra":
        return "fail"
    lost = isinstance(error, ClusterError) and not isinstance(error, InsufficientCapacity)
    return "again" if lost and losses < _MAX_LOSSES else "let go"


def is_permanent(error: BaseException) -> bool:
    """Whether an error fails the job, after the runner has tried all that `retry_decision` says."""
    return failure_class(error) != "infra"


def worker_at_fault(error: BaseException) -> dict[str, int]:
    """The `worker` field of an event, if one worker is at fault; else nothing."""
    return {"worker": error.member} if isinstance(error, MemberLost) else {}


def format_trace(error: BaseException) -> str:
    """The traceback of an error, for the job's log."""
    return "".join(traceback.format_exception(error))


def _is_out_of_memory(error: BaseException) -> bool:
    # Compares the name of torch's error, because its class would load torch.
    name = type(error).__name__
    lost_for_memory = isinstance(error, MemberLost) and "OutOfMemory" in error.reason
    return isinstance(error, MemoryError) or name == "OutOfMemoryError" or lost_for_memory
