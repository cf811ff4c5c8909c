"""How a crew's members share an octave: alike, until some are found to be slower than others."""

from collections.abc import Iterator, Mapping
from operator import truediv
from statistics import fmean

from jobs.planning.octave import worker_loads
from jobs.planning.poster import PosterPlan
from jobs.runtime.logs import LOG
from jobs.runtime.metrics.timings import WorkerTimings
from render.geometry.partition import Block, partition, partition_by_speed

_MIN_SECONDS = 2.0
"""Seconds of work that say something of a member; less says more of the moment."""


_DECAY = 0.5
"""What counts of older work, each time that there is enough of new: loads change, and are noisy."""


_MAX_TIME_RATIO = 0.9
"""What is left of a step's time, at the most, where shares are to change: members that are alike
never measure alike."""


_MIN_GAIN = 3.0
"""To load an octave anew must save so many times what it costs."""


_SPEED_POWERS = (1.0, 0.75, 0.5, 0.25, 0.1)
"""How far shares follow speeds, as powers of them: less far where memory sets limits."""


_Blocks = tuple[Block, ...]


class LoadBalancer:
    """Those of one crew.

    Where a machine has other work to do, its member's step takes longer, and all others wait for
    it. What each takes is measured where it works. The next octave is cut by that, and at a
    checkpoint so is the rest of this one, where that is worth loading it again.
    """

    def __init__(self, plan: PosterPlan, size: int) -> None:
        self._plan, self._members = plan, range(size)
        self._octave = self._step = 0
        self._blocks: _Blocks = ()
        self._timings = dict.fromkeys(self._members, WorkerTimings())
        self._measured = [_MeasuredSpeed() for _ in self._members]
        self._since = 0.0
        self._speeds: tuple[float, ...] = ()
        self._loading = 0.0

    def assign(self, octave: int, step: int) -> _Blocks:
        """A block for each member, to hold from that step of an octave on."""
        self._octave, self._step, self._blocks = octave, step, self._best_partition(octave)
        grid = self._plan.grids[octave]
        if self._blocks != partition(grid, len(self._members)):
            tiles = [len(block.tiles(grid)) for block in self._blocks]
            LOG.info("octave %d: members get %d to %d tiles", octave + 1, min(tiles), max(tiles))
        return self._blocks

    def add_timings(self, step: int, found: Mapping[int, WorkerTimings]) -> None:
        """Take in what all members have measured since they were made, after `step` steps."""
        steps, pixels = step - self._step, self._pixels(self._octave, self._blocks)
        before, self._timings, self._step = self._timings, dict(found), step
        loading = max(found[m].during("load") - before[m].during("load") for m in found)
        self._loading = loading or self._loading
        worked = [_step_seconds(found[m]) - _step_seconds(before[m]) for m in self._members]
        for member in self._members if steps else ():
            self._measured[member].add(pixels[member] * steps, worked[member])
        self._since += max(worked)
        if self._since >= _MIN_SECONDS:
            self._update_speeds()

    def should_rebalance(self) -> bool:
        """Whether to cut the rest of the octave anew would save more than it costs to load it."""
        now = self._seconds(self._octave, self._blocks)
        better = self._seconds(self._octave, self._best_partition(self._octave))
        left = self._plan.spec.dream.steps - self._step
        return better < _MAX_TIME_RATIO * now and left * (now - better) > _MIN_GAIN * self._loading

    def _update_speeds(self) -> None:
        """Who never had a tile is taken for average."""
        measured = [one.speed for one in self._measured if one.speed]
        average = fmean(measured)
        self._speeds = tuple(one.speed or average for one in self._measured)
        self._since = 0.0
        for one in self._measured:
            one.decay()

    def _best_partition(self, octave: int) -> _Blocks:
        """By speed, or alike where that is nearly as good."""
        alike = partition(self._plan.grids[octave], len(self._members))
        enough = _MAX_TIME_RATIO * self._seconds(octave, alike)
        # To cut for hundreds takes a moment, and nothing can be better than this.
        if not self._speeds or sum(self._pixels(octave, alike)) >= enough * sum(self._speeds):
            return alike
        found = next(self._partitions_by_speed(octave), alike)
        return found if self._seconds(octave, found) < enough else alike

    def _partitions_by_speed(self, octave: int) -> Iterator[_Blocks]:
        """By speed, as far as memory allows."""
        grid = self._plan.grids[octave]
        for power in _SPEED_POWERS:
            blocks = partition_by_speed(grid, tuple(speed**power for speed in self._speeds))
            if self._plan.can_hold(grid, blocks):
                yield blocks

    def _seconds(self, octave: int, blocks: _Blocks) -> float:
        """Of a step, by what has been measured; nothing as long as nothing has."""
        return max(map(truediv, self._pixels(octave, blocks), self._speeds), default=0.0)

    def _pixels(self, octave: int, blocks: _Blocks) -> list[int]:
        """Of all windows of each member."""
        plan = self._plan
        return [
            one.window_pixels
            for one in worker_loads(plan.grids[octave], plan.sampling_grid, blocks)
        ]


class _MeasuredSpeed:
    """What a member has done: pixels of windows, and the seconds that they took."""

    def __init__(self) -> None:
        self._pixels = self._seconds = 0.0

    def add(self, pixels: int, seconds: float) -> None:
        """Later work; nothing where there was none to do."""
        if pixels:
            self._pixels += pixels
            self._seconds += seconds

    def decay(self) -> None:
        """From now on it counts less."""
        self._pixels *= _DECAY
        self._seconds *= _DECAY

    @property
    def speed(self) -> float:
        """Pixels a second; 0 where it has not done anything."""
        return self._pixels / self._seconds if self._seconds else 0.0


def _step_seconds(found: WorkerTimings) -> float:
    return found.during("gradients", "update")
