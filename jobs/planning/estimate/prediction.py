"""What a crew of a given size would take for a poster: seconds, bytes and money.

A step takes as long as its busiest member computes, and as the one computes that takes most from
its neighbours; then come the calls. Octaves follow each other, with their resampling, their
checkpoints and their previews; before and after stand what does not depend on the crew.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from jobs.planning.estimate.network import Link, traffic
from jobs.planning.estimate.speed import Speed
from jobs.planning.memory import VALUE_BYTES
from jobs.planning.octave import LEAST_SECONDS, WORTH, loads
from jobs.planning.poster import Plan
from jobs.planning.source import Source
from render.geometry.grid import Grid
from render.geometry.partition import partition

# Seconds. Measured on two quiet cores of an AMD EPYC; tests/bench/scale.py holds them against it.
_START = 8.0
"""Until a crew works: Ray, then the libraries of all members at once."""


_CALLS, _CALL = 4e-3, 0.3e-3
"""The two calls of a step: together, and more for each member."""


_COMMIT = 0.05
"""A checkpoint, beyond its bytes."""


_DECODING, _MAKING_NOISE = 0.03e-6, 0.33e-6
"""A pixel of what is taken in: of a file; of noise, which is made."""


_RESAMPLING, _SHOWING = 0.25e-6, 0.03e-6
"""A pixel of an octave, by the member that starts it; by the one member that makes its preview."""


_ENCODING = {"png": 0.13e-6, "tiff": 0.11e-6, "jpeg": 0.05e-6, "deepzoom": 0.1e-6}
"""A pixel of an output, of which each is written by one thread."""


_CHANNELS = 3


@dataclass(frozen=True)
class Conditions:
    """What crews are made of.

    price: US dollars for a worker and hour; None where nobody knows. listed: whose price that is;
    None where the user's. at_once: members that can compute at the same time; None for all.
    """

    speed: Speed
    link: Link
    price: float | None
    listed: str | None = None
    at_once: int | None = None

    def together(self, each: Sequence[float]) -> float:
        """Seconds until all members have done what takes each so long."""
        return max(*each, sum(each) / (self.at_once or len(each)))


@dataclass(frozen=True)
class StepTime:
    """Seconds of one step of an octave, and the bytes that it moves between members."""

    compute: float
    halo: float
    calls: float
    halo_bytes: int

    @property
    def seconds(self) -> float:
        """Of all three, one after the other."""
        return self.compute + self.halo + self.calls


@dataclass(frozen=True)
class OctaveTime:
    """`steps` steps; what comes before, between and after them, in seconds."""

    step: StepTime
    steps: int
    resampling: float
    checkpoints: float
    showing: float

    @property
    def seconds(self) -> float:
        """Of the whole octave."""
        return self.resampling + self.steps * self.step.seconds + self.checkpoints + self.showing


@dataclass(frozen=True)
class Prediction:
    """One poster by a crew of `workers`, in seconds by phase. price: as in Conditions."""

    workers: int
    start: float
    decode: float
    octaves: tuple[OctaveTime, ...]
    encode: float
    price: float | None

    @property
    def dream(self) -> float:
        """Seconds of all octaves."""
        return sum(octave.seconds for octave in self.octaves)

    @property
    def seconds(self) -> float:
        """From the crew's start to the last file."""
        return self.start + self.decode + self.dream + self.encode

    @property
    def step(self) -> StepTime:
        """A step of the last octave, which is the full size."""
        return self.octaves[-1].step

    @property
    def halo_bytes(self) -> int:
        """Of all steps."""
        return sum(octave.steps * octave.step.halo_bytes for octave in self.octaves)

    @property
    def cost(self) -> float | None:
        """US dollars: every member is paid for until the last octave is committed."""
        paid = self.seconds - self.encode
        return None if self.price is None else self.workers * self.price * paid / 3600


def predict(plan: Plan, workers: int, conditions: Conditions) -> Prediction:
    """What a crew of so many would take; of the plan's own crew nothing counts."""
    height, width = plan.size
    making = _DECODING if plan.spec.input.noise is None else _MAKING_NOISE
    masks = sum(_pixels(plan.companions[path]) for path in plan.masks)
    encodings = [_ENCODING[one.format] * height * width for one in plan.spec.outputs]
    # As many at a time as there were members, each batch as long as its longest.
    batches = range(0, len(encodings), workers)
    return Prediction(
        workers=workers,
        start=_START,
        decode=making * _pixels(plan.source) + _DECODING * masks,
        octaves=tuple(_octave(plan, grid, workers, conditions) for grid in plan.grids),
        encode=sum(max(encodings[first : first + workers]) for first in batches),
        price=conditions.price,
    )


def _pixels(source: Source) -> int:
    return source.height * source.width


def _octave(plan: Plan, grid: Grid, workers: int, conditions: Conditions) -> OctaveTime:
    blocks, value_bytes = partition(grid, workers), VALUE_BYTES[plan.precision]
    link, steps = conditions.link, plan.spec.dream.steps
    moved = traffic(grid, plan.lattice, blocks, value_bytes)
    step = StepTime(
        compute=conditions.together(
            [conditions.speed.seconds(one) for one in loads(grid, plan.lattice, blocks)]
        ),
        halo=link.seconds(moved.most, moved.fragments),
        calls=_CALLS + workers * _CALL,
        halo_bytes=moved.total,
    )
    pixels = [block.pixels(grid).area for block in blocks]
    checkpoint = _COMMIT + max(pixels) * _CHANNELS * value_bytes / link.storing
    between = max(LEAST_SECONDS, WORTH * checkpoint)
    return OctaveTime(
        step,
        steps,
        resampling=conditions.together([_RESAMPLING * area for area in pixels]),
        checkpoints=(1 + steps * step.seconds // between) * checkpoint,
        showing=_SHOWING * grid.height * grid.width,
    )
