"""The memory of a poster's worker, and whether its tiles fit in it or have to go to disk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from jobs.spec.poster import Output
from jobs.text.errors import MachineTooSmall
from render.device import ResolvedPrecision
from render.engine.memory import Cost
from render.geometry.grid import Grid
from render.geometry.partition import Block
from render.geometry.rect import Size
from render.geometry.sampling_grid import SamplingGrid

WORKER_BYTES = 440 << 20
"""A worker before it holds a picture: Python, torch, Ray. Measured, private memory only."""


RETURNED_MALLOC_FACTOR = 1.1
"""Bytes that a worker holds per byte of a window, if it returns freed memory at once. Measured."""


KEPT_MALLOC_FACTOR = 3.0
"""The same if malloc keeps freed memory, which is faster. Measured."""


MOST_THREADS = 16
"""Threads that encode one output. More would wait for the thread that writes."""


_OUTPUT_BYTES = {
    "png": 12 << 20,
    "jpeg": 24 << 20,
    "tiff": 12 << 20,
    "deepzoom": 15 << 20,
    "deepzoom-zip": 15 << 20,
    "iiif": 15 << 20,
    "iiif-zip": 15 << 20,
    "webp": 24 << 20,
    "avif": 24 << 20,
    "jxl": 24 << 20,
    "pdf": 24 << 20,
    "contract-proof": 100 << 20,
}
"""Bytes to encode one output with no thread, of no width. Measured; libvips takes the rest."""


_OUTPUT_THREAD_BYTES = {8: 19 << 20, 16: 23 << 20}
"""Bytes of each thread of an output, by the bits of a sample: mostly its part of the canvas.
Measured."""


_STRIP_BYTES = {
    "png": 0,
    "jpeg": 0,
    "tiff": 2300,
    "deepzoom": 6600,
    "deepzoom-zip": 6600,
    "iiif": 6600,
    "iiif-zip": 6600,
    "webp": 0,
    "avif": 0,
    "jxl": 0,
    "pdf": 0,
    "contract-proof": 0,
}
"""Bytes for each pixel of an output's width, with 8 bits a sample: strips of whole rows of tiles,
of every size of the pyramid. Measured."""


_PIXEL_BYTES = {"webp": 9, "avif": 38, "jxl": 38}
"""Bytes for each pixel of formats that are encoded as a whole. Measured, but for JPEG XL."""


VALUE_BYTES: Mapping[ResolvedPrecision, int] = MappingProxyType(
    {"float32": 4, "float64": 8, "bfloat16": 4}
)
"""Bytes of a canvas value. With bfloat16 the canvas is float32; only the network uses bfloat16."""


_CHANNELS, _INKS = 3, 4


@dataclass(frozen=True)
class WorkerMemory:
    """Bytes of private memory of the busiest worker at its peak.

    in_memory: with its tiles in memory. on_disk: with its tiles in files. limit: what a worker may
    use. halo: what it receives from its neighbours at each step. is_limited: whether the user set
    the limit, or `frugal` did; then workers return freed memory at once instead of keeping it for
    speed.
    """

    in_memory: int
    on_disk: int
    limit: int
    halo: int
    is_limited: bool

    @property
    def spills(self) -> bool:
        """Whether tiles have to go to disk."""
        return self.in_memory > self.limit

    @property
    def needed(self) -> int:
        """The peak, with tiles where they will be."""
        return self.on_disk if self.spills else self.in_memory

    @property
    def is_frugal(self) -> bool:
        """Whether a worker already holds as little as it can."""
        return self.is_limited and self.limit <= self.on_disk

    def frugal(self) -> "WorkerMemory":
        """The same plan with one tile in memory at a time, and freed memory returned at once."""
        return replace(self, limit=min(self.limit, self.on_disk), is_limited=True)

    def check(self, tile: int) -> None:
        """Raise MachineTooSmall if tiles of that side need more memory than the limit."""
        if self.needed > self.limit:
            raise MachineTooSmall(
                f"crew.memory_per_worker: a worker needs {self.needed / 2**30:.2f} GiB for "
                f"tiles of {tile} pixels and may use {self.limit / 2**30:.2f} GiB; "
                "choose a smaller tiles.size, fewer workers, or a higher crew.memory_per_worker"
            )


def largest_memory(octaves: Sequence[WorkerMemory]) -> WorkerMemory:
    """The memory of a worker over all octaves: an octave may have larger tiles than the last."""
    return replace(
        octaves[-1],
        in_memory=max(one.in_memory for one in octaves),
        on_disk=max(one.on_disk for one in octaves),
        halo=max(one.halo for one in octaves),
    )


def encoding_memory(size: Size, outputs: Sequence[Output], together: int, threads: int) -> int:
    """Bytes of private memory of a process that encodes some outputs at the same time.

    Args:
        size: Height and width of the poster, in pixels.
        outputs: All outputs; the largest ones may be at work together.
        together: How many at the same time.
        threads: Of each output.
    """
    each = sorted((_output_memory(size, one, threads) for one in outputs), reverse=True)
    return WORKER_BYTES + sum(each[:together])


def _output_memory(size: Size, output: Output, threads: int) -> int:
    channels = _INKS if output.is_inked else _CHANNELS
    strips = size[1] * _STRIP_BYTES[output.format] * output.depth // 8 * channels // _CHANNELS
    whole = size[0] * size[1] * _PIXEL_BYTES.get(output.format, 0)
    threaded = threads * _OUTPUT_THREAD_BYTES[output.depth]
    return _OUTPUT_BYTES[output.format] + threaded + strips + whole


def worker_memory(
    grid: Grid,
    sampling_grid: SamplingGrid,
    cost: Cost,
    stored: float,
    value_bytes: int,
    blocks: Sequence[Block],
    limit: int,
    is_limited: bool,
) -> WorkerMemory:
    """The memory of the worker that needs most, in one octave.

    Args:
        grid: The tiles of the octave.
        sampling_grid: The network's sampling grid.
        cost: What a window of the network needs.
        stored: Bytes that a tile stores until its update, per byte of its canvas.
        value_bytes: Bytes of a canvas value.
        blocks: The tiles of each worker.
        limit: Bytes that a worker may use.
        is_limited: Whether the user set the limit.
    """
    window = sampling_grid.largest_window(grid.tile, (grid.height, grid.width))
    cores = [core for core in (block.pixels(grid) for block in blocks) if core.area]
    size = (grid.height, grid.width)
    around = [
        sum(read.area for read in sampling_grid.pixels_read(one, grid.tile, size)) - one.area
        for one in cores
    ]
    pixel = _CHANNELS * value_bytes
    factor = RETURNED_MALLOC_FACTOR if is_limited else KEPT_MALLOC_FACTOR
    base = WORKER_BYTES + int(cost.bytes(window) * factor)
    tile = int(grid.tile**2 * pixel * (1 + stored))
    # Twice: a worker holds the pixels that it received and those that it made for its neighbours.
    halos = [pixel * pixels for pixels in around]
    held = max(
        int(core.area * pixel * (1 + stored)) + 2 * halo
        for core, halo in zip(cores, halos, strict=True)
    )
    return WorkerMemory(base + held, base + tile + 2 * max(halos), limit, max(halos), is_limited)
