"""Makes `time.sleep` work under libfaketime; processes with a false clock load this first.

libfaketime 0.9.10 fails with EINVAL in the system call that Python's `time.sleep` makes, when only
the wall clock is false. Waiting in `select` is not affected.
"""

import select
import time
from typing import SupportsIndex


def _sleep(seconds: float | SupportsIndex, /) -> None:
    if not isinstance(seconds, float):
        seconds = float(seconds)
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    select.select([], [], [], seconds)


time.sleep = _sleep
