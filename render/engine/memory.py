"""What studies take in memory, known before any is dreamed; needs no torch."""

from dataclasses import dataclass
from pathlib import Path

from render.dream.config import Dream
from render.dream.objective import Mix
from render.engine.setup import InMemorySetup
from render.geometry.rect import Size


def mask_paths(mix: Mix, dream: Dream) -> tuple[Path, ...]:
    """The pictures that say where something is to happen, each once."""
    named = (*(one.mask for one in mix), dream.strength)
    return tuple(dict.fromkeys(path for path in named if path is not None))


def guide_paths(mix: Mix) -> tuple[Path, ...]:
    """The pictures that objectives are guided by, each once."""
    return tuple(dict.fromkeys(one.guide for one in mix if one.guide is not None))


def stored_values(mix: Mix, dream: Dream, tile: int) -> float:
    """How many times a canvas in tiles of that side: each objective's slope, with its margin; a
    mask has but one channel.
    """
    grown = (1 + 2 * dream.margin / tile) ** 2
    return len(mix) * grown + len(mask_paths(mix, dream)) / 3


@dataclass(frozen=True)
class Cost:
    """A window of n pixels takes `fixed + pixel * n` bytes at its peak, without the weights.

    `flops` counts multiplications and additions for a pixel, forward and backward; `weights` are
    the bytes of the prepared network.
    """

    fixed: float
    pixel: float
    flops: float
    weights: int

    def bytes(self, pixels: int) -> int:
        """The peak for a window of so many pixels, the network included."""
        return int(self.fixed + self.pixel * pixels) + self.weights


_CHANNELS = 3


_PIECE = 1 << 20
"""Source pixels that `render.dream.resample` reads at once, at the most."""


_READ_BYTES = 3 * 8 * _CHANNELS
"""What a source pixel takes on its way to the canvas: float64, in three steps."""


_RESAMPLED = 4
"""Copies of a tile that its resampling takes: along each axis, a term, and their sum."""


@dataclass(frozen=True)
class BatchMemory:
    """Bytes at the peak of dreaming one batch of studies.

    `held` are the batch's samples and canvases, and what the studies in work keep for their steps;
    `passing` is what comes and goes, one pass of the network or the reading of a tile, whichever
    takes more, and the network itself. On a GPU both are upper bounds of what either memory, its
    own and its host's, has to hold.
    """

    held: int
    passing: int


def batch_memory(setup: InMemorySetup, source: Size, depth: int, cost: Cost) -> BatchMemory:
    """The memory of a batch of pictures of size `source`, of `depth` bits a sample (8 or 16).

    `cost` is that of the recipe's mix in its precision.
    """
    size = setup.sizes[-1]
    pixel = _CHANNELS * (8 if setup.precision == "float64" else 4)
    samples = source[0] * source[1] * _CHANNELS * depth // 8
    canvas = size[0] * size[1] * pixel
    # A study in work has its canvas, the octave's base, and what its steps keep.
    working = (
        setup.windows_per_pass * canvas * (2 + stored_values(setup.mix, setup.dream, setup.tile))
    )
    held = setup.batch * (samples + canvas) + int(working)
    reading = cost.weights + _reading_bytes(setup, source, pixel)
    return BatchMemory(held, max(_pass_bytes(setup, cost), reading))


def _pass_bytes(setup: InMemorySetup, cost: Cost) -> int:
    return cost.bytes(
        setup.windows_per_pass * setup.sampling_grid.largest_window(setup.tile, setup.sizes[-1])
    )


def _reading_bytes(setup: InMemorySetup, source: Size, pixel: int) -> int:
    tile = setup.grid(-1).core(0).area
    read = min(source[0] * source[1], max(_PIECE, tile))
    return read * _READ_BYTES + _RESAMPLED * tile * pixel
