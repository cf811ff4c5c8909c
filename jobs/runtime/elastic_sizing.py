"""Elastic crew size: how many workers a crew starts with, and when another size pays."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cluster.crew import Crew
from cluster.errors import InsufficientCapacity
from cluster.resources import Reservation, Resources
from jobs.runtime.control import Control

StartReservation = Callable[[Resources, int], Reservation]
"""Asks a cluster for these resources, so many times."""


_GRACE = 3.0
"""Seconds to wait for more resources once there are some. A crew can still grow later."""


_POLL = 0.1

_CHECK_INTERVAL = 2.0
"""Seconds between two questions to the cluster."""


MIN_GAIN = 3.0
"""Resize a crew only if the time saved is at least this many times the restart cost."""


class CrewSizer:
    """Sizes the crews of one job on a cluster whose machines come and go.

    reserve: None where a crew of any size starts at once and none grows. control: gets the request
    to regroup where another size pays. min_gain: see MIN_GAIN.
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
        self._spare: Reservation | None = None
        self._began, self._checked = clock(), -math.inf
        self._start_seconds: float | None = None

    def gather(self, resources: Resources, most: int) -> int:
        """How many workers can start now: `most`, or as many as the cluster grants in a moment.

        Raises Stopped where the holder is asked to leave. Raises InsufficientCapacity where the
        cluster grants nothing for as long as a worker may take to start.
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
                        f"{resources.start_timeout:g} s: wait until other crews have ended, or add "
                        "machines"
                    )
                if self._control.requested:
                    raise self._control.stopped()
                self._sleep(_POLL)

    @contextmanager
    def around(self, crew: Crew, resources: Resources, most: int) -> Iterator[None]:
        """Reserve what the crew lacks, and let `check` watch the crew, until the block ends."""
        if self._reserve is None:
            yield
            return
        with self._reserve(resources, most - crew.size) as spare:
            self._crew, self._spare, self._start_seconds = crew, spare, None
            try:
                yield
            finally:
                self._crew = self._spare = None
                self._control.clear_regroup()

    def check(self, left: float | None, checkpoint: float) -> None:
        """Between two steps: ask for another crew where machines leave or enough have come.

        left: seconds that this crew still needs, if known. checkpoint: seconds of one checkpoint.
        """
        now = self._clock()
        if self._start_seconds is None:
            self._start_seconds = now - self._began
        if self._crew is None or now - self._checked < _CHECK_INTERVAL:
            return
        self._checked = now
        if self._crew.is_draining or self._pays(self._crew.size, left, checkpoint):
            self._control.request("regroup")

    def _pays(self, size: int, left: float | None, checkpoint: float) -> bool:
        if self._spare is None or left is None:
            return False
        more = self._spare.granted
        saved = left * more / (size + more)
        if not more or saved >= self._min_gain * ((self._start_seconds or 0.0) + checkpoint):
            return bool(more)
        # It will never pay, and other jobs may need the resources.
        self._spare.close()
        self._spare = None
        return False
