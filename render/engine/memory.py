"""The memory that pictures need, estimated before they are dreamed. Needs no torch."""

from dataclasses import dataclass
from pathlib import Path

from render.dream.config import Dream
from render.dream.objective import Mix
from render.engine.setup import InMemorySetup
from render.geometry.rect import Size


def mask_paths(mix: Mix, dream: Dream) -> tuple[Path, ...]:
    """The masks of a mix and its dream, each once."""
    named = (*(one.mask for one in mix), dream.strength)
    return tuple(dict.fromkeys(path for path in named if path is not None))


def guide_paths(mix: Mix) -> tuple[Path, ...]:
    """The guides of a mix, each once."""
    return tuple(dict.fromkeys(one.guide for one in mix if one.guide is not None))


def stored_values(mix: Mix, dream: Dream, tile: int) -> float:
    """The stored gradients and masks, as a multiple of the canvas in tiles of this side.

    Each objective's gradient has three channels and a margin; a mask has one channel.
    """
    grown = (1 + 2 * dream.margin / tile) ** 2
    return len(mix) * grown + len(mask_paths(mix, dream)) / 3


@dataclass(frozen=True)
class Cost:
    """What the gradients of one window cost.

    fixed, pixel: a window of n pixels needs fixed + pixel * n bytes at its peak, without weights.
    flops: multiplications and additions per pixel, forward and backward.
    weights: the bytes of the prepared network.
    """

    fixed: float
    pixel: float
    flops: float
    weights: int

    def bytes(self, pixels: int) -> int:
        """The peak for a window of this many pixels, weights included."""
        return int(self.fixed + self.pixel * pixels) + self.weights


_CHANNELS = 3


_MAX_READ = 1 << 20
"""Source pixels that `render.dream.resample` reads at once, at most."""


_READ_BYTES = 3 * 8 * _CHANNELS
"""Bytes of a source pixel during its conversion to the canvas: three copies in float64."""


_RESAMPLED = 4
"""Copies of a tile during its resampling: for each axis a term and the sum."""


@dataclass(frozen=True)
class BatchMemory:
    """Bytes at the peak of dreaming one batch of pictures.

    stored: the batch's samples and canvases, and what unfinished pictures store between steps.
    transient: the weights, and one pass of the network or the reading of one tile, whichever needs
        more.

    On a GPU both are upper bounds for the GPU's memory as well as for its host's.
    """

    stored: int
    transient: int


def batch_memory(setup: InMemorySetup, source: Size, depth: int, cost: Cost) -> BatchMemory:
    """The memory of a batch of pictures of size `source`, of `depth` bits a sample (8 or 16).

    `cost` is that of the setup's mix in its precision.
    """
    size = setup.sizes[-1]
    pixel = _CHANNELS * (8 if setup.precision == "float64" else 4)
    samples = source[0] * source[1] * _CHANNELS * depth // 8
    canvas = size[0] * size[1] * pixel
    # An unfinished picture has its canvas, the octave's base, and what its steps store.
    working = (
        setup.windows_per_pass * canvas * (2 + stored_values(setup.mix, setup.dream, setup.tile))
    )
    stored = setup.batch * (samples + canvas) + int(working)
    reading = cost.weights + _reading_bytes(setup, source, pixel)
    return BatchMemory(stored, max(_pass_bytes(setup, cost), reading))


def _pass_bytes(setup: InMemorySetup, cost: Cost) -> int:
    return cost.bytes(
        setup.windows_per_pass * setup.sampling_grid.largest_window(setup.tile, setup.sizes[-1])
    )


def _reading_bytes(setup: InMemorySetup, source: Size, pixel: int) -> int:
    tile = setup.grid(-1).core(0).area
    read = min(source[0] * source[1], max(_MAX_READ, tile))
    return read * _READ_BYTES + _RESAMPLED * tile * pixel
