"""Which pixels the members of a crew exchange after each step."""

from collections.abc import Mapping, Sequence

import numpy as np

from render.geometry.grid import Grid
from render.geometry.partition import Block
from render.geometry.rect import Rect
from render.geometry.sampling_grid import SamplingGrid

HaloSends = Mapping[int, Rect]
"""What one member sends after each step: for each receiving member, pixels of its own block."""


def halo_exchange(
    grid: Grid, sampling_grid: SamplingGrid, blocks: Sequence[Block]
) -> tuple[dict[int, Rect], ...]:
    """What each member sends, the same after every step; member i holds `blocks[i]` of the grid.

    A receiver gets the pixels of the sender's block that its own windows read, at any jitter. The
    result is one rectangle for each pair: blocks are rectangles, so the union of a block's windows
    is one, and so is its intersection with another block.
    """
    holders = np.empty((grid.rows, grid.columns), np.intp)
    for member, block in enumerate(blocks):
        holders[block.top : block.bottom, block.left : block.right] = member
    pixels = [block.pixels(grid) for block in blocks]
    sends: tuple[dict[int, Rect], ...] = tuple({} for _ in blocks)
    for receiver, own in enumerate(pixels):
        if not own.area:
            continue
        read = sampling_grid.window_union(own, grid.tile).intersect(grid.whole)
        for sender in np.unique(holders[grid.tiles(read).slices()]).tolist():
            if sender != receiver:
                sends[sender][receiver] = read.intersect(pixels[sender])
    return sends
