"""Workers for the pools of tests."""

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.support.crew_members import ToyMember


class ToyWorker(ToyMember):
    """A member whose methods may run in several threads."""

    def double(self, number: int) -> int:
        return 2 * number

    def zeros(self, like: NDArray[np.float32]) -> tuple[bool, NDArray[np.float32]]:
        """Whether the array is writeable, and a new array that the worker still holds."""
        return bool(like.flags.writeable), np.zeros_like(like)

    def fail_here(self, folder: Path) -> None:
        add_mark(folder, self.name)
        raise KeyError(self.name)

    def leave_here(self, folder: Path) -> None:
        add_mark(folder, self.name)
        raise SystemExit(3)

    def gather(self, folder: Path, number: int) -> int:
        """Return once `number` calls are here at the same time; returns the process id."""
        (folder / str(threading.get_native_id())).touch()
        wait_for(lambda: len(list(folder.iterdir())) >= number)
        return os.getpid()

    def linger(self, folder: Path, gate: str) -> int:
        """Return once a file of this name exists; returns the process id."""
        add_mark(folder, str(os.getpid()))
        wait_for((folder / gate).exists)
        return os.getpid()


class RecoveringWorker(ToyWorker):
    """Fails to double in its first `ill_for` lives."""

    def __init__(self, folder: Path, name: str, ill_for: int) -> None:
        super().__init__(name)
        self.is_ill = add_mark(folder, name) <= ill_for

    def double(self, number: int) -> int:
        if self.is_ill:
            raise OSError(f"{self.name} is ill")
        # Work takes time, so that no worker does all of it.
        time.sleep(0.01)
        return 2 * number


class MortalWorker(ToyWorker):
    """Its constructor exits from its second life on; in its last life, it raises."""

    def __init__(self, folder: Path, lives: int) -> None:
        super().__init__()
        life = add_mark(folder, "life")
        if life == lives:
            raise ValueError("cannot be created")
        if life > 1:
            sys.exit(4)


def add_mark(folder: Path, name: str) -> int:
    """Add a file for this name; returns how many the folder now has."""
    number = len(list(folder.glob(f"{name}-*"))) + 1
    (folder / f"{name}-{number}-{os.getpid()}-{threading.get_native_id()}").touch()
    return number


def wait_for(condition: Callable[[], bool], timeout: float = 60) -> None:
    """Wait; raises TimeoutError after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.01)
