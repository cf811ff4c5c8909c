"""Members of the crews in tests."""

import os
import sys
import time
from collections.abc import Collection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cluster.actor import is_cancelled


class UnpicklableError(Exception):
    """Pickles, but does not unpickle: its arguments are not those of its constructor."""

    def __init__(self, place: str, hint: str) -> None:
        super().__init__(f"{place}: {hint}")


class ToyMember:
    """A member with a method for each behaviour that tests need."""

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.held: list[object] = []

    def who(self) -> str:
        return self.name

    def process(self) -> int:
        return os.getpid()

    def variable(self, name: str) -> str | None:
        return os.environ.get(name)

    def imported(self, module: str) -> bool:
        return module in sys.modules

    def hold(self, value: object) -> int:
        self.held.append(value)
        return len(self.held)

    def echo(self, *values: object) -> tuple[object, ...]:
        return values

    def greet(self, *others: int) -> dict[int, object]:
        return {other: f"{self.name} to {other}" for other in others}

    def pass_on(self, to: int, *values: object) -> dict[int, object]:
        return {to: values}

    def arrays(self, others: Collection[int], shape: tuple[int, ...]) -> dict[int, object]:
        """Return an array that the member changes later."""
        self.mine = np.full(shape, 7, np.float32)
        return dict.fromkeys(others, self.mine)

    def spoil(self) -> None:
        self.mine[:] = -1

    def columns(self, other: int) -> dict[int, object]:
        """Return an array that is not contiguous."""
        return {other: np.arange(12.0).reshape(3, 4)[:, 1:3]}

    def look(self, array: NDArray[np.float32]) -> tuple[float, bool]:
        """The mean, and whether the array is writable."""
        return float(array.mean()), bool(array.flags.writeable)

    def fail(self, *anything: object) -> None:
        raise KeyError(self.name)

    def fail_oddly(self) -> None:
        raise UnpicklableError("here", "mind the gap")

    def leave(self, *anything: object) -> None:
        raise SystemExit(3)

    def die(self, *anything: object) -> None:
        os._exit(9)

    def meet(self, folder: Path, number: int) -> None:
        """Return when `number` members have called this method."""
        (folder / self.name).touch()
        while len(list(folder.iterdir())) < number:
            time.sleep(0.01)

    def work_until_cancelled(self, folder: Path, seconds: float) -> None:
        """Work until the call is cancelled, or for `seconds`."""
        (folder / self.name).touch()
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not is_cancelled():
            time.sleep(0.01)
        self.held.append(is_cancelled())
        if is_cancelled():
            raise InterruptedError

    def recall(self) -> object:
        return self.held[-1]

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class ClosingMember(ToyMember):
    """A member that creates a file with its name when it is closed."""

    def __init__(self, folder: Path, name: str) -> None:
        super().__init__(name)
        self._folder = folder

    def close(self) -> None:
        (self._folder / self.name).touch()


class FailingMember:
    """A member that cannot be created."""

    def __init__(self) -> None:
        raise ValueError("cannot be created")
