"""The time and cost of a poster for a crew of a given size.

A step takes the computing time of its busiest worker, plus the halo time of the worker that
receives most, plus the calls. Octaves run one after the other, with their resampling, checkpoints
and previews. Start-up, decoding and encoding hardly depend on the crew.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from jobs.planning.encoding import encoding_plan
from jobs.planning.estimate.network import NetworkModel, halo_traffic
from jobs.planning.estimate.speed import Speed
from jobs.planning.memory import VALUE_BYTES
from jobs.planning.octave import MIN_CHECKPOINT_SECONDS, WORK_PER_CHECKPOINT, worker_loads
from jobs.planning.poster import PosterPlan
from jobs.planning.source import PictureInfo
from render.geometry.grid import Grid
from render.geometry.partition import partition

# All in seconds. Measured on two quiet cores of an AMD EPYC; tests/bench/estimate.py checks them.
_STARTUP = 8.0
"""To start a crew: Ray, then the libraries of all workers at the same time."""


_CALLS = 4e-3
"""The two calls of a step, without what each worker adds."""


_CALLS_PER_WORKER = 0.3e-3
"""The part of a step's calls that each worker adds."""


_CHECKPOINT = 0.05
"""A checkpoint, without its bytes."""


_DECODE_PIXEL = 0.03e-6
"""To decode a pixel of an input file or mask."""


_NOISE_PIXEL = 0.33e-6
"""To generate a pixel of noise."""


_RESAMPLE_PIXEL = 0.25e-6
"""To resample a pixel of an octave. Each worker resamples its own."""


_PREVIEW_PIXEL = 0.03e-6
"""To make the preview, for each pixel of its octave. One worker does it."""


_ENCODE_PIXEL = {
    ("png", 8): (0.022e-6, 0.006e-6),
    ("png", 16): (0.029e-6, 0.008e-6),
    ("tiff", 8): (0.019e-6, 0.018e-6),
    ("tiff", 16): (0.028e-6, 0.026e-6),
    ("jpeg", 8): (0.012e-6, 0.004e-6),
    ("deepzoom", 8): (0.037e-6, 0.0),
    ("deepzoom-zip", 8): (0.037e-6, 0.0),
    ("iiif", 8): (0.037e-6, 0.0),
    ("iiif-zip", 8): (0.037e-6, 0.0),
    ("webp", 8): (0.16e-6, 0.0),
    ("avif", 8): (0.9e-6, 0.0),
    ("jxl", 8): (0.9e-6, 0.0),
    ("pdf", 8): (0.022e-6, 0.006e-6),
    ("contract-proof", 8): (0.014e-6, 0.0),
}
"""To encode a pixel: in one thread, and shared by all threads of an output (tests/bench/encode.py).
"""


_INK_PIXEL, _PROOF_PIXEL = 0.045e-6, 0.23e-6
"""To convert a pixel to the inks of a press, and to show and judge it in a proof. Measured."""


_CHANNELS = 3


@dataclass(frozen=True)
class Conditions:
    """The hardware of a crew, and its price.

    price: US dollars for one worker and hour; None if unknown. price_source: where the price comes
    from; None if the user gave it. parallel_workers: how many can compute at the same time; None
    for all.
    """

    speed: Speed
    network: NetworkModel
    price: float | None
    price_source: str | None = None
    parallel_workers: int | None = None

    def total_seconds(self, seconds: Sequence[float]) -> float:
        """The time until all workers have finished. seconds: the time of each worker alone."""
        return max(*seconds, sum(seconds) / (self.parallel_workers or len(seconds)))


@dataclass(frozen=True)
class StepTime:
    """Seconds of one step of an octave, and the bytes that workers exchange in it."""

    compute: float
    halo: float
    calls: float
    halo_bytes: int

    @property
    def seconds(self) -> float:
        """The time of the step: its parts do not overlap."""
        return self.compute + self.halo + self.calls


@dataclass(frozen=True)
class OctaveTime:
    """An octave: its steps, and the seconds of everything else in it."""

    step: StepTime
    steps: int
    resampling: float
    checkpoints: float
    preview: float

    @property
    def seconds(self) -> float:
        """The time of the whole octave."""
        return self.resampling + self.steps * self.step.seconds + self.checkpoints + self.preview


@dataclass(frozen=True)
class Prediction:
    """The seconds of each phase of a poster, for a crew of `workers`. price: as in Conditions."""

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
        """Seconds from the start of the crew to the last file."""
        return self.start + self.decode + self.dream + self.encode

    @property
    def step(self) -> StepTime:
        """A step at full size, in the last octave."""
        return self.octaves[-1].step

    @property
    def halo_bytes(self) -> int:
        """Bytes that workers exchange in all steps."""
        return sum(octave.steps * octave.step.halo_bytes for octave in self.octaves)

    @property
    def cost(self) -> float | None:
        """US dollars for all workers until the last octave is saved; None without a price."""
        paid = self.seconds - self.encode
        return None if self.price is None else self.workers * self.price * paid / 3600


def predict(plan: PosterPlan, workers: int, conditions: Conditions) -> Prediction:
    """Predict a poster by that many workers, whatever number of workers the plan has."""
    source_pixel = _DECODE_PIXEL if plan.spec.input.noise is None else _NOISE_PIXEL
    mask_pixels = sum(_pixels(plan.attachments[path]) for path in plan.masks)
    return Prediction(
        workers=workers,
        start=_STARTUP,
        decode=source_pixel * _pixels(plan.source) + _DECODE_PIXEL * mask_pixels,
        octaves=tuple(
            _octave_time(plan, grid, workers, conditions) for grid in plan.grids[plan.first :]
        ),
        encode=_encode_seconds(plan.with_workers(workers)),
        price=conditions.price,
    )


def _encode_seconds(plan: PosterPlan) -> float:
    """The seconds of all outputs. Of those that are encoded together, the slowest counts."""
    height, width = plan.size
    encoding = encoding_plan(plan)
    seconds = []
    for output in plan.spec.outputs:
        alone, shared = _ENCODE_PIXEL[output.format, output.depth]
        shared += _INK_PIXEL if output.is_inked else _PROOF_PIXEL if output.proof else 0
        seconds.append((alone + shared / encoding.threads) * height * width)
    batches = range(0, len(seconds), encoding.outputs)
    return sum(max(seconds[first : first + encoding.outputs]) for first in batches)


def _pixels(picture: PictureInfo) -> int:
    return picture.height * picture.width


def _octave_time(plan: PosterPlan, grid: Grid, workers: int, conditions: Conditions) -> OctaveTime:
    blocks, value_bytes = partition(grid, workers), VALUE_BYTES[plan.precision]
    network, steps = conditions.network, plan.spec.dream.steps
    traffic = halo_traffic(grid, plan.sampling_grid, blocks, value_bytes)
    loads = worker_loads(grid, plan.sampling_grid, blocks)
    step = StepTime(
        compute=conditions.total_seconds([conditions.speed.seconds(load) for load in loads]),
        halo=network.seconds(traffic.busiest_bytes, traffic.busiest_transfers),
        calls=_CALLS + workers * _CALLS_PER_WORKER,
        halo_bytes=traffic.total_bytes,
    )
    pixels = [block.pixels(grid).area for block in blocks]
    checkpoint = _CHECKPOINT + max(pixels) * _CHANNELS * value_bytes / network.store_bandwidth
    interval = max(MIN_CHECKPOINT_SECONDS, WORK_PER_CHECKPOINT * checkpoint)
    return OctaveTime(
        step,
        steps,
        resampling=conditions.total_seconds([_RESAMPLE_PIXEL * area for area in pixels]),
        checkpoints=(1 + steps * step.seconds // interval) * checkpoint,
        preview=_PREVIEW_PIXEL * grid.height * grid.width,
    )
