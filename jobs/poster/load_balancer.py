"""Balances the tiles of an octave between workers, by their measured speeds."""

from collections.abc import Iterator, Mapping
from operator import truediv
from statistics import fmean

from jobs.planning.octave import worker_loads
from jobs.planning.poster import PosterPlan
from jobs.runtime.logs import LOG
from jobs.runtime.metrics.counters import WorkerTimings
from render.geometry.partition import Block, partition, partition_by_speed

_MIN_SECONDS = 2.0
"""Seconds of work before a speed is measured. Shorter times are too noisy."""


_DECAY = 0.5
"""The weight of older work after each measurement, because speeds change."""


_MAX_TIME_RATIO = 0.9
"""Rebalance only if a step would then take less than this part of its present time. Equal workers
never measure exactly equal speeds."""


_MIN_GAIN = 3.0
"""Rebalance only if the time saved is at least this many times the time to load the octave."""


_SPEED_POWERS = (1.0, 0.75, 0.5, 0.25, 0.1)
"""Powers of the speeds to divide tiles by, until every worker has enough memory for its tiles."""


_Blocks = tuple[Block, ...]


class LoadBalancer:
    """Balances the work of one crew.

    All members wait for the slowest one in each step. A member is slow if its machine also does
    other work. The tiles of each octave are divided by the measured speeds. The rest of an octave
    is divided again at a checkpoint, if that saves more time than loading the octave takes.
    """

    def __init__(self, plan: PosterPlan, size: int) -> None:
        self._plan, self._members = plan, range(size)
        self._octave = self._step = 0
        self._blocks: _Blocks = ()
        self._timings = dict.fromkeys(self._members, WorkerTimings())
        self._measured = [_MeasuredSpeed() for _ in self._members]
        self._seconds_since_update = 0.0
        self._speeds: tuple[float, ...] = ()
        self._loading = 0.0

    def assign(self, octave: int, step: int) -> _Blocks:
        """Return one block of tiles for each member, to work on from this step of the octave on."""
        self._octave, self._step, self._blocks = octave, step, self._best_partition(octave)
        grid = self._plan.grids[octave]
        if self._blocks != partition(grid, len(self._members)):
            tiles = [len(block.tiles(grid)) for block in self._blocks]
            LOG.info("octave %d: members get %d to %d tiles", octave + 1, min(tiles), max(tiles))
        return self._blocks

    def add_timings(self, step: int, timings: Mapping[int, WorkerTimings]) -> None:
        """Add the timings of all members since they started, after `step` steps of the octave."""
        steps, pixels = step - self._step, self._pixels(self._octave, self._blocks)
        before, self._timings, self._step = self._timings, dict(timings), step
        loading = max(timings[m].during("load") - before[m].during("load") for m in timings)
        self._loading = loading or self._loading
        worked = [_step_seconds(timings[m]) - _step_seconds(before[m]) for m in self._members]
        for member in self._members if steps else ():
            self._measured[member].add(pixels[member] * steps, worked[member])
        self._seconds_since_update += max(worked)
        if self._seconds_since_update >= _MIN_SECONDS:
            self._update_speeds()

    def should_rebalance(self) -> bool:
        """Whether new blocks for the rest of the octave save clearly more time than they cost."""
        now = self._step_time(self._octave, self._blocks)
        better = self._step_time(self._octave, self._best_partition(self._octave))
        left = self._plan.spec.dream.steps - self._step
        return better < _MAX_TIME_RATIO * now and left * (now - better) > _MIN_GAIN * self._loading

    def _update_speeds(self) -> None:
        """Set the speeds from the timings. Idle members get the average speed."""
        measured = [one.speed for one in self._measured if one.speed]
        average = fmean(measured)
        self._speeds = tuple(one.speed or average for one in self._measured)
        self._seconds_since_update = 0.0
        for one in self._measured:
            one.decay()

    def _best_partition(self, octave: int) -> _Blocks:
        """The blocks by speed, or equal blocks if they are nearly as good."""
        equal = partition(self._plan.grids[octave], len(self._members))
        max_time = _MAX_TIME_RATIO * self._step_time(octave, equal)
        total_pixels, total_speed = sum(self._pixels(octave, equal)), sum(self._speeds)
        # A step takes at least total_pixels / total_speed seconds, however it is divided. If that
        # is too long, do not search: for hundreds of members the search takes a moment.
        if not self._speeds or total_pixels >= max_time * total_speed:
            return equal
        by_speed = next(self._partitions_by_speed(octave), equal)
        return by_speed if self._step_time(octave, by_speed) < max_time else equal

    def _partitions_by_speed(self, octave: int) -> Iterator[_Blocks]:
        """Blocks by speed that fit into the workers' memory, the fastest first."""
        grid = self._plan.grids[octave]
        for power in _SPEED_POWERS:
            blocks = partition_by_speed(grid, tuple(speed**power for speed in self._speeds))
            if self._plan.can_hold(grid, blocks):
                yield blocks

    def _step_time(self, octave: int, blocks: _Blocks) -> float:
        """The expected seconds of a step; 0 while no speed is known."""
        return max(map(truediv, self._pixels(octave, blocks), self._speeds), default=0.0)

    def _pixels(self, octave: int, blocks: _Blocks) -> list[int]:
        """The pixels of all windows, by member."""
        plan = self._plan
        return [
            one.window_pixels
            for one in worker_loads(plan.grids[octave], plan.sampling_grid, blocks)
        ]


class _MeasuredSpeed:
    """The measured speed of a member, from its pixels and seconds."""

    def __init__(self) -> None:
        self._pixels = self._seconds = 0.0

    def add(self, pixels: int, seconds: float) -> None:
        """Add work. Ignores times without work."""
        if pixels:
            self._pixels += pixels
            self._seconds += seconds

    def decay(self) -> None:
        """Reduce the weight of the work so far."""
        self._pixels *= _DECAY
        self._seconds *= _DECAY

    @property
    def speed(self) -> float:
        """Pixels a second; 0 if unknown."""
        return self._pixels / self._seconds if self._seconds else 0.0


def _step_seconds(timings: WorkerTimings) -> float:
    return timings.during("gradients", "update")
