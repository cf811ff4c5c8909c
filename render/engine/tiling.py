"""The tile size that `auto` means: from the network, the precision and the picture's size alone."""

from render.engine.memory import Cost
from render.geometry.grid import Grid
from render.geometry.rect import Size
from render.geometry.sampling_grid import SamplingGrid, round_up

WINDOW_BYTES = 1 << 30
"""What a window may take at its peak. Larger tiles waste less on halos; 1 GiB fits any worker."""


SMALLEST, LARGEST = 256, 2048
"""Tiles that `auto` chooses, in pixels a side, unless the halo alone is larger."""


_STEP = 8

_TRIED = 3  # ways to split a side: into as few tiles as fit, or one or two more


def auto_tile(size: Size, sampling_grid: SamplingGrid, cost: Cost) -> int:
    """The side of a tile, in pixels, for a picture of this size.

    Of the sides that split the picture's height or width evenly, that whose windows have the fewest
    pixels together: a sliver of a tile costs a whole halo. A window's peak is within WINDOW_BYTES,
    unless the smallest tile (256, or the halo) takes more.
    """
    largest = max(SMALLEST, round_up(sampling_grid.halo, _STEP))
    while largest < LARGEST and _fits(largest + _STEP, sampling_grid, cost):
        largest += _STEP
    even = {
        round_up(-(-side // parts), _STEP)
        for side in size
        for parts in range(-(-side // largest), -(-side // largest) + _TRIED)
    }
    fitting = [tile for tile in even if tile <= largest]
    return min(fitting, key=lambda tile: _work(size, tile, sampling_grid))


def _work(size: Size, tile: int, sampling_grid: SamplingGrid) -> tuple[int, int]:
    """The windows' pixels, at most; of equal ones the larger tile is better."""
    return len(Grid(*size, tile)) * sampling_grid.largest_window(tile, size), -tile


def _fits(tile: int, sampling_grid: SamplingGrid, cost: Cost) -> bool:
    return cost.bytes(sampling_grid.window_side(tile) ** 2) <= WINDOW_BYTES
