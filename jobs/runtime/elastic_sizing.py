"""Elastic crew size: how many workers a crew starts with, and when to resize it."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cluster.crew import Crew
from cluster.errors import InsufficientCapacity
from cluster.resources import Reservation, Resources
from jobs.runtime.control import Control

StartReservation = Callable[[Resources, int], Reservation]
"""Asks a cluster for the resources of this many workers."""


_GRACE = 3.0
"""Seconds to wait for more resources once there are some. A crew can still grow later."""


_POLL_INTERVAL = 0.1
"""Seconds between two looks at the granted resources."""


_CHECK_INTERVAL = 2.0
"""Seconds between two decisions about resizing."""


MIN_GAIN = 3.0
"""Resize a crew only if the time saved is at least this many times the restart cost."""


class CrewSizer:
    """Sizes the crews of one job on a cluster whose machines come and go.

    reserve: None starts crews of the full size at once, and never resizes them. control: gets the
    request to regroup if another size pays. min_gain: see MIN_GAIN.
    """

    def __init__(
        self,
        reserve: StartReservation | None,
        control: Control,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        min_gain: float = MIN_GAIN,
    ) -> None:
        self._reserve, self._control, self._min_gain = reserve, control, min_gain
        self._clock, self._sleep = clock, sleep
        self._crew: Crew | None = None
        self._extra: Reservation | None = None
        self._began, self._checked = clock(), -math.inf
        self._start_seconds: float | None = None

    def wait_for_workers(self, resources: Resources, most: int) -> int:
        """Wait until the cluster has resources for workers; return for how many, at most `most`.

        Raises:
            Stopped: a stop was requested meanwhile.
            InsufficientCapacity: the cluster granted nothing within `resources.start_timeout`.
        """
        self._began = self._clock()
        if self._reserve is None:
            return most
        with self._reserve(resources, most) as reservation:
            while True:
                found, waited = reservation.granted, self._clock() - self._began
                if found == most or (found and waited >= _GRACE):
                    return found
                if waited >= resources.start_timeout:
                    raise InsufficientCapacity(
                        f"no machine of the cluster had {resources} free within "
                        f"{resources.start_timeout:g} s; wait until other crews have ended, or add "
                        "machines"
                    )
                if self._control.requested:
                    raise self._control.acknowledge()
                self._sleep(_POLL_INTERVAL)

    @contextmanager
    def resizing(self, crew: Crew, resources: Resources, most: int) -> Iterator[None]:
        """Reserve the missing workers, and let `check` resize the crew, until the block ends."""
        if self._reserve is None:
            yield
            return
        with self._reserve(resources, most - crew.size) as extra:
            self._crew, self._extra, self._start_seconds = crew, extra, None
            try:
                yield
            finally:
                self._crew = self._extra = None
                self._control.clear_regroup()

    def check(self, seconds_left: float | None, checkpoint_seconds: float) -> None:
        """Request to regroup if machines leave, or if enough have come. Called between steps.

        seconds_left: that this crew still needs, if known. checkpoint_seconds: of one checkpoint.
        """
        now = self._clock()
        if self._start_seconds is None:
            self._start_seconds = now - self._began
        if self._crew is None or now - self._checked < _CHECK_INTERVAL:
            return
        self._checked = now
        if self._crew.is_draining or self._should_grow(
            self._crew.size, seconds_left, checkpoint_seconds
        ):
            self._control.request("regroup")

    def _should_grow(
        self, size: int, seconds_left: float | None, checkpoint_seconds: float
    ) -> bool:
        if self._extra is None or seconds_left is None:
            return False
        granted = self._extra.granted
        if not granted:
            return False
        saved = seconds_left * granted / (size + granted)
        if saved >= self._min_gain * ((self._start_seconds or 0.0) + checkpoint_seconds):
            return True
        # It does not pay, and other jobs may need the resources.
        self._extra.close()
        self._extra = None
        return False
