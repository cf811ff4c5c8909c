"""The automatic tile size. It depends only on the network, the precision and the picture's size."""

from render.engine.memory import Cost
from render.geometry.grid import Grid
from render.geometry.rect import Size
from render.geometry.sampling_grid import SamplingGrid, round_up

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


def _work(size: Size, tile: int, sampling_grid: SamplingGrid) -> tuple[int, int]:
    """An upper bound of the windows' pixels; if two are equal, the larger tile is better."""
    return len(Grid(*size, tile)) * sampling_grid.largest_window(tile, size), -tile


def _fits(tile: int, sampling_grid: SamplingGrid, cost: Cost) -> bool:
    return cost.bytes(sampling_grid.window_side(tile) ** 2) <= WINDOW_BYTES
