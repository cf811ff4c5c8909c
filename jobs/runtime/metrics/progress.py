"""How fast a render goes, and when it should be done."""

import bisect
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Phase = Literal["decode", "dream", "encode", "items"]


@dataclass(frozen=True)
class Progress:
    """`octave` of `octaves` and `step` of `steps`, counted from 1; of a dataset all are 0.

    done, total: megapixel-steps, or a dataset's items. share: the part of the dreaming time that
        should be over, from 0 to 1; halos make small octaves dearer than their megapixels, and few
        tiles leave workers idle.
    """

    phase: Phase
    octave: int
    octaves: int
    step: int
    steps: int
    done: float
    total: float
    share: float


Watch = Callable[[Progress], None]


_RECENT = 0.5
"""The part of the time so far that speaks for the time to come: first steps warm things up."""


_MOST = 1000
"""Notes that are kept: a dataset may have a million items, each of which is one."""


@dataclass(frozen=True)
class Pace:
    """rate: megapixel-steps a second; eta_seconds: what is left; None before two steps."""

    rate: float | None
    eta_seconds: float | None


class Pacer:
    """Follows one holder's progress."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._times: list[float] = []
        self._seen: list[Progress] = []

    def note(self, progress: Progress) -> None:
        """Take in where the render is now."""
        if progress.phase in ("dream", "items"):
            self._times.append(self._clock())
            self._seen.append(progress)
            if len(self._times) > _MOST:
                del self._times[1:-1:2], self._seen[1:-1:2]

    def pace(self) -> Pace:
        """From the more recent steps; the time since the last of them counts as spent."""
        if len(self._seen) < 2:
            return Pace(None, None)
        last_time, last = self._times[-1], self._seen[-1]
        since = self._times[0] + _RECENT * (last_time - self._times[0])
        first = min(bisect.bisect_left(self._times, since), len(self._times) - 2)
        seconds = last_time - self._times[first]
        share = last.share - self._seen[first].share
        if seconds <= 0 or share <= 0:
            return Pace(None, None)
        left = (1 - last.share) * seconds / share
        waited = self._clock() - last_time
        rate = (last.done - self._seen[first].done) / seconds
        return Pace(rate, max(left - waited, 0.0))
