"""Watching processes end."""

import time
from collections.abc import Iterable

import psutil


def still_running(processes: Iterable[int], patience: float = 20) -> set[int]:
    """The ids of those that have not ended after `patience` seconds."""
    deadline = time.monotonic() + patience
    while (running := set(filter(_runs, processes))) and time.monotonic() < deadline:
        time.sleep(0.05)
    return running


def _runs(process: int) -> bool:
    try:
        # An orphan that nobody has collected has ended too.
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
