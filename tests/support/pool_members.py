"""What the pools of these tests are made of."""

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
    """A player whose methods bear with each other in several threads."""

    def double(self, number: int) -> int:
        return 2 * number

    def zeros(self, like: NDArray[np.float32]) -> tuple[bool, NDArray[np.float32]]:
        """Whether the array may be written to, and one that is still ours."""
        return bool(like.flags.writeable), np.zeros_like(like)

    def fail_here(self, folder: Path) -> None:
        add_mark(folder, self.name)
        raise KeyError(self.name)

    def leave_here(self, folder: Path) -> None:
        add_mark(folder, self.name)
        raise SystemExit(3)

    def gather(self, folder: Path, number: int) -> int:
        """Return once `number` calls are here at the same time; our process."""
        (folder / str(threading.get_native_id())).touch()
        wait_for(lambda: len(list(folder.iterdir())) >= number)
        return os.getpid()

    def linger(self, folder: Path, gate: str) -> int:
        """Return once there is a file of that name; our process."""
        add_mark(folder, str(os.getpid()))
        wait_for((folder / gate).exists)
        return os.getpid()


class RecoveringWorker(ToyWorker):
    """Cannot double in its first so many lives."""

    def __init__(self, folder: Path, name: str, ill_for: int) -> None:
        super().__init__(name)
        self.is_ill = add_mark(folder, name) <= ill_for

    def double(self, number: int) -> int:
        if self.is_ill:
            raise OSError(f"{self.name} is ill")
        # Work takes time, so that nobody does all of it alone.
        time.sleep(0.01)
        return 2 * number


class MortalWorker(ToyWorker):
    """From its second life on, its constructor exits; in the last, it raises."""

    def __init__(self, folder: Path, lives: int) -> None:
        super().__init__()
        life = add_mark(folder, "life")
        if life == lives:
            raise ValueError("I would rather not")
        if life > 1:
            sys.exit(4)


def add_mark(folder: Path, name: str) -> int:
    """Put another file into the folder; how many with this name there are now."""
    number = len(list(folder.glob(f"{name}-*"))) + 1
    (folder / f"{name}-{number}-{os.getpid()}-{threading.get_native_id()}").touch()
    return number


def wait_for(condition: Callable[[], bool], patience: float = 60) -> None:
    """Raises TimeoutError after so many seconds."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.01)
