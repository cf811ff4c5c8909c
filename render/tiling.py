"""The tile size that `auto` means: from the network, the precision and the picture's size alone."""

from render.cost import Cost
from render.lattice import Lattice, round_up
from render.rect import Size

WINDOW_BYTES = 1 << 30
"""What a window may take at its peak. Larger tiles waste less on halos; 1 GiB fits any worker."""

SMALLEST, LARGEST = 256, 2048
"""Tiles that `auto` chooses, in pixels a side, unless the halo alone is larger."""

_STEP = 8


def auto_tile(size: Size, lattice: Lattice, cost: Cost) -> int:
    """The side of a tile, in pixels, for a picture of this size.

    At least 256 and at least the halo; within that the largest whose window's peak is within
    WINDOW_BYTES, then as much smaller as splits the picture's sides evenly, so that no sliver of a
    tile costs a whole halo.
    """
    largest = max(SMALLEST, round_up(lattice.halo, _STEP))
    while largest < LARGEST and _fits(largest + _STEP, lattice, cost):
        largest += _STEP
    even = max(-(-side // -(-side // largest)) for side in size)
    return min(largest, round_up(even, _STEP))


def _fits(tile: int, lattice: Lattice, cost: Cost) -> bool:
    return cost.bytes(lattice.extent(tile) ** 2) <= WINDOW_BYTES
