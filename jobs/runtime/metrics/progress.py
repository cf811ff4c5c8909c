"""The progress of a render, its rate and its remaining time."""

import bisect
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

RenderPhase = Literal["decode", "dream", "encode", "items"]
"""The phase of a render, for progress and events.

decode, dream, encode: of a poster. items: of a dataset. `Status.phase` says the same in words.
"""


@dataclass(frozen=True)
class Progress:
    """The progress of a render.

    octave: the current one of `octaves`, counted from 1; 0 while the input is decoded. step: how
    many of its `steps` are done; 0 at first. All four are 0 for a dataset. done, total:
    megapixel-steps, or items of a dataset. fraction: the estimated part of the dreaming time that
    is over, from 0 to 1. It differs from done / total: halos cost extra in small octaves, and few
    tiles leave workers idle.
    """

    phase: RenderPhase
    octave: int
    octaves: int
    step: int
    steps: int
    done: float
    total: float
    fraction: float


WatchProgress = Callable[[Progress], None]
"""Gets the progress after each step or item. It may raise, which ends the render."""


_RECENT_FRACTION = 0.5
"""The last part of the time so far, from which the rate is estimated. First steps are slow."""


_MAX_SAMPLES = 1000
"""Samples that are kept. A dataset may have a million items, with one sample each."""


@dataclass(frozen=True)
class RateEstimate:
    """The rate and the remaining time of a render; None before two samples.

    rate: megapixel-steps a second, or items a second. eta_seconds: the seconds left.
    """

    rate: float | None
    eta_seconds: float | None


class RateEstimator:
    """Estimates the rate and the remaining time from the progress of one holder."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._times: list[float] = []
        self._seen: list[Progress] = []

    def add(self, progress: Progress) -> None:
        """Add a sample of the progress, at the current time."""
        if progress.phase in ("dream", "items"):
            self._times.append(self._clock())
            self._seen.append(progress)
            if len(self._times) > _MAX_SAMPLES:
                del self._times[1:-1:2], self._seen[1:-1:2]

    def estimate(self) -> RateEstimate:
        """Estimate from the more recent samples. The time since the last sample counts as spent."""
        if len(self._seen) < 2:
            return RateEstimate(None, None)
        last_time, last = self._times[-1], self._seen[-1]
        since = self._times[0] + _RECENT_FRACTION * (last_time - self._times[0])
        first = min(bisect.bisect_left(self._times, since), len(self._times) - 2)
        seconds = last_time - self._times[first]
        fraction = last.fraction - self._seen[first].fraction
        if seconds <= 0 or fraction <= 0:
            return RateEstimate(None, None)
        left = (1 - last.fraction) * seconds / fraction
        waited = self._clock() - last_time
        rate = (last.done - self._seen[first].done) / seconds
        return RateEstimate(rate, max(left - waited, 0.0))
