"""The memory that pictures need, estimated before they are dreamed. Needs no torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from render.dream.config import Dream
from render.dream.objective import Mix
from render.engine.setup import InMemorySetup
from render.geometry.grid import Grid
from render.geometry.rect import Size
from render.geometry.sampling_grid import SamplingGrid, round_up


def mask_paths(mix: Mix, dream: Dream) -> tuple[Path, ...]:
    """The masks of a mix and its dream, each once."""
    named = (*(one.mask for one in mix), dream.strength)
    return tuple(dict.fromkeys(path for path in named if path is not None))


def guide_paths(mix: Mix) -> tuple[Path, ...]:
    """The guides of a mix, each once."""
    return tuple(dict.fromkeys(one.guide for one in mix if one.guide is not None))


def stored_values(mix: Mix, dream: Dream, tile: int) -> float:
    """The stored gradients and masks, as a multiple of the canvas's bytes.

    tile: the side of the canvas's tiles, in pixels. Each objective's gradient has three channels
    and a margin; a mask has one channel.
    """
    grown = (1 + 2 * dream.margin / tile) ** 2
    return len(mix) * grown + len(mask_paths(mix, dream)) / 3


@dataclass(frozen=True)
class Cost:
    """What the gradients of one window cost.

    fixed, bytes_per_pixel: without weights, a window of n pixels needs fixed + bytes_per_pixel * n
        bytes at its peak.
    flops_per_pixel: multiplications and additions, forward and backward.
    weights: the bytes of the prepared network.
    """

    fixed: float
    bytes_per_pixel: float
    flops_per_pixel: float
    weights: int

    def bytes(self, pixels: int) -> int:
        """The peak for a window of this many pixels, weights included."""
        return int(self.fixed + self.bytes_per_pixel * pixels) + self.weights


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
    last = setup.grids[-1]
    pixel = _CHANNELS * (8 if setup.precision == "float64" else 4)
    samples = source[0] * source[1] * _CHANNELS * depth // 8
    canvas = last.whole.area * pixel
    # An unfinished picture has its canvas, the octave's base, and what its steps store.
    working = (
        setup.windows_per_pass * canvas * (2 + stored_values(setup.mix, setup.dream, last.tile))
    )
    stored = setup.batch * (samples + canvas) + int(working)
    reading = cost.weights + _reading_bytes(setup, source, pixel)
    return BatchMemory(stored, max(_pass_bytes(setup, cost), reading))


def _pass_bytes(setup: InMemorySetup, cost: Cost) -> int:
    return cost.bytes(setup.windows_per_pass * setup.largest_window)


def _reading_bytes(setup: InMemorySetup, source: Size, pixel: int) -> int:
    tile = max(grid.core(0).area for grid in setup.grids)
    read = min(source[0] * source[1], max(_MAX_READ, tile))
    return read * _READ_BYTES + _RESAMPLED * tile * pixel


WINDOW_BYTES = 1 << 30
"""The largest peak of a window. Larger tiles spend less on halos, and 1 GiB fits any worker."""


MIN_TILE, MAX_TILE = 256, 2048
"""The limits of the automatic tile size, in pixels; a halo may make the smallest tile larger."""


_STEP = 8

_TRIED = 3  # numbers of tiles along a side: the fewest that fit, and one or two more


def auto_tile(size: Size, sampling_grid: SamplingGrid, cost: Cost) -> int:
    """The side of a tile, in pixels, for a picture of this size.

    Candidates split the picture's height or width evenly, since a narrow tile needs a whole halo.
    The result is the candidate whose windows have the fewest pixels in total. A window's peak is
    within WINDOW_BYTES, unless the smallest tile (MIN_TILE, or the halo) needs more.
    """
    largest = max(MIN_TILE, round_up(sampling_grid.halo, _STEP))
    while largest < MAX_TILE and _fits(largest + _STEP, sampling_grid, cost):
        largest += _STEP
    even = {
        round_up(-(-side // parts), _STEP)
        for side in size
        for parts in range(-(-side // largest), -(-side // largest) + _TRIED)
    }
    fitting = [tile for tile in even if tile <= largest]
    return min(fitting, key=lambda tile: _work(size, tile, sampling_grid))


def octave_grids(
    sizes: Sequence[Size], tile: int | Literal["auto"], sampling_grid: SamplingGrid, cost: Cost
) -> tuple[Grid, ...]:
    """The tiles of each octave. `auto` is `auto_tile` of the octave's own size.

    So an octave has the same tiles, and with them the same bits, whatever the final size is.
    """
    return tuple(
        Grid(*size, auto_tile(size, sampling_grid, cost) if tile == "auto" else tile)
        for size in sizes
    )


def _work(size: Size, tile: int, sampling_grid: SamplingGrid) -> tuple[int, int]:
    """An upper bound of the windows' pixels; if two are equal, the larger tile is better."""
    return len(Grid(*size, tile)) * sampling_grid.largest_window(tile, size), -tile


def _fits(tile: int, sampling_grid: SamplingGrid, cost: Cost) -> bool:
    return cost.bytes(sampling_grid.window_side(tile) ** 2) <= WINDOW_BYTES
