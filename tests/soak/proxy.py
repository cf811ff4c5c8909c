"""The cable between one `work` and the store: a proxy that answers some requests with faults."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.support.faulty_proxy import Asked, Fate, Proxy, canned_error

CONFLICT = canned_error(409, "ConditionalRequestConflict")
"""The answer to a conditional write while another write of the same object is under way."""

Only = Callable[[Asked], bool]
"""Says which requests a fault concerns."""


class Cable(Proxy):
    """A proxy with faults for the next requests that fit. `met`: requests with a fault so far."""

    def __init__(self, backend: str, stall: float) -> None:
        super().__init__(backend, 0, stall)
        self._faults: deque[tuple[Fate, Only]] = deque()
        self.met = 0

    def add_faults(self, fate: Fate, count: int, only: Only = lambda _: True) -> None:
        """Answer each of the next `count` requests that fit with this fault."""
        with self._lock:
            self._faults.extend([(fate, only)] * count)

    def forget(self) -> None:
        """Drop the faults that no request has met."""
        with self._lock:
            self._faults.clear()

    def take(self, asked: Asked) -> Fate:
        """Choose the fault of a request. Records nothing, because a soak runs for hours."""
        with self._lock:
            if self._faults and self._faults[0][1](asked):
                self.met += 1
                return self._faults.popleft()[0]
        return None


@contextmanager
def cable_to(backend: str, stall: float) -> Iterator[Cable]:
    """A cable to the backend at this URL. stall: seconds before a stalled answer."""
    cable = Cable(backend, stall)
    with cable.running():
        yield cable
