"""What went wrong, classed once, and what follows: pure functions of the error and the history."""

import traceback
from typing import Literal

from cluster.errors import ClusterError, MemberFailed, MemberLost, NoRoom
from jobs.records.state import Failure
from jobs.store.errors import Missing, Oversized, StoreError
from jobs.text.errors import BadRecord, LeaseLost, OtherVersion, RequestError, TooSmall, Unfit
from render.errors import DeviceError, OutputError, RenderError

ELSEWHERE = (Unfit, TooSmall, OtherVersion, DeviceError)
"""What is wrong with this machine, not with the job: others may take it."""


Verdict = Literal["again", "frugally", "let go", "fail"]
"""again: with a new crew, from the last commit. frugally: the same, one tile at a time. let go: the
job goes back to the queue. fail: for good."""


_PASSING = (ClusterError, StoreError, Missing, LeaseLost, OutputError, OSError, *ELSEWHERE)
"""What another crew, holder or machine may well not meet; of disks and networks, too."""


_PATIENCE = 3
"""Crews that may be lost in a row with no step between them before the job is let go."""


def failure_of(error: BaseException) -> Failure:
    """The class of an error that ended a render."""
    if _is_memory(error):
        return "memory"
    if isinstance(error, MemberFailed):
        return "bug"
    if isinstance(error, _PASSING) or type(error).__module__.startswith("ray."):
        return "infra"
    if isinstance(error, RenderError | RequestError | BadRecord | Oversized):
        return "input"
    return "bug"


def verdict(error: BaseException, losses: int, *, is_frugal: bool) -> Verdict:
    """What to do after an error.

    losses: crews lost in a row without progress, this one included. is_frugal: whether the crew
    already held one tile at a time in memory.
    """
    kind = failure_of(error)
    if kind == "memory":
        return "fail" if is_frugal else "frugally"
    if kind != "infra":
        return "fail"
    lost = isinstance(error, ClusterError) and not isinstance(error, NoRoom)
    return "again" if lost and losses < _PATIENCE else "let go"


def worker_of(error: BaseException) -> dict[str, int]:
    """What events say of the worker that is at fault, where that is one."""
    return {"worker": error.member} if isinstance(error, MemberLost) else {}


def trace_of(error: BaseException) -> str:
    """Everything about an error, for the job's log."""
    return "".join(traceback.format_exception(error))


def _is_memory(error: BaseException) -> bool:
    # Torch's error for a GPU is known by name: to ask for its class would load torch.
    name = type(error).__name__
    lost_for_memory = isinstance(error, MemberLost) and "OutOfMemory" in error.reason
    return isinstance(error, MemoryError) or name == "OutOfMemoryError" or lost_for_memory
