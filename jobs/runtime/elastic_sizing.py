"""How many members a job's crew has, and when a crew of another size would be better."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cluster.crew import Crew
from cluster.errors import NoRoom
from cluster.resources import Berth, Reserve
from jobs.runtime.control import Control

StartReserve = Callable[[Berth, int], Reserve]
"""Asks a cluster for so many berths of this kind."""


_GRACE = 3.0
"""Seconds to wait for more berths when there is one: a crew that has started can grow."""


_TICK = 0.1

_LOOK = 2.0
"""Seconds between two questions to the cluster."""


REGROUP = 3.0
"""To stop and start again must save so many times what it costs."""


class Muster:
    """Gathers crews for one job, on a cluster on which machines come and go.

    reserve: None on ground where a crew of any size starts at once, and none grows. control: is
    asked to regroup when that is worth it. regroup: see REGROUP.
    """

    def __init__(
        self,
        reserve: StartReserve | None,
        control: Control,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        regroup: float = REGROUP,
    ) -> None:
        self._reserve, self._control, self._regroup = reserve, control, regroup
        self._clock, self._sleep = clock, sleep
        self._crew: Crew | None = None
        self._spare: Reserve | None = None
        self._began, self._looked = clock(), -math.inf
        self._start: float | None = None

    def gather(self, berth: Berth, most: int) -> int:
        """How large a crew may start now: `most`, or what there is after a moment.

        Raises Stopped where the holder is asked to leave, and NoRoom where there is no berth at all
        for as long as a member may take to start.
        """
        self._began = self._clock()
        if self._reserve is None:
            return most
        with self._reserve(berth, most) as berths:
            while True:
                found, waited = berths.granted, self._clock() - self._began
                if found == most or (found and waited >= _GRACE):
                    return found
                if waited >= berth.start_timeout:
                    raise NoRoom(
                        f"no machine of the cluster had {berth} free within "
                        f"{berth.start_timeout:g} s: wait until other crews have ended, or add "
                        "machines"
                    )
                if self._control.wanted:
                    raise self._control.stopped()
                self._sleep(_TICK)

    @contextmanager
    def around(self, crew: Crew, berth: Berth, most: int) -> Iterator[None]:
        """Within, what this crew lacks is asked for, and `look` looks after it."""
        if self._reserve is None:
            yield
            return
        with self._reserve(berth, most - crew.size) as spare:
            self._crew, self._spare, self._start = crew, spare, None
            try:
                yield
            finally:
                self._crew = self._spare = None
                self._control.regrouped()

    def look(self, left: float | None, checkpoint: float) -> None:
        """Between two steps: ask for another crew where machines leave, or enough have come.

        left: seconds that the dream still takes this crew, where that is known. checkpoint: seconds
        that one takes.
        """
        now = self._clock()
        if self._start is None:
            self._start = now - self._began
        if self._crew is None or now - self._looked < _LOOK:
            return
        self._looked = now
        if self._crew.is_leaving or self._is_worth(self._crew.size, left, checkpoint):
            self._control.ask("regroup")

    def _is_worth(self, size: int, left: float | None, checkpoint: float) -> bool:
        if self._spare is None or left is None:
            return False
        more = self._spare.granted
        saved = left * more / (size + more)
        if not more or saved >= self._regroup * ((self._start or 0.0) + checkpoint):
            return bool(more)
        # It will never be, and others may need the room.
        self._spare.close()
        self._spare = None
        return False
