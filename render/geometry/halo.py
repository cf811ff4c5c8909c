"""Which pixels the members of a crew need of one another: integer geometry, the same every step."""

from collections.abc import Mapping, Sequence

import numpy as np

from render.geometry.grid import Grid
from render.geometry.partition import Block
from render.geometry.rect import Rect
from render.geometry.sampling_grid import Lattice

Gives = Mapping[int, Rect]
"""What a member hands out after each step: by neighbour, some pixels of its own block."""


def fragments(grid: Grid, lattice: Lattice, blocks: Sequence[Block]) -> tuple[dict[int, Rect], ...]:
    """What each member gives, where member i holds `blocks[i]` of a grid, all of it together.

    A neighbour gets what windows of its tiles show of the giver's block, each pixel at one jitter
    or another, and who shows nothing gets nothing. Blocks are rectangles, so what a block's windows
    cover together is one too, and so is what they share with another block.
    """
    holders = np.empty((grid.rows, grid.columns), np.intp)
    for member, block in enumerate(blocks):
        holders[block.top : block.bottom, block.left : block.right] = member
    pixels = [block.pixels(grid) for block in blocks]
    gives: tuple[dict[int, Rect], ...] = tuple({} for _ in blocks)
    for taker, own in enumerate(pixels):
        if not own.area:
            continue
        seen = lattice.cover(own, grid.tile).intersect(grid.whole)
        for giver in np.unique(holders[grid.tiles(seen).slices()]).tolist():
            if giver != taker:
                gives[giver][taker] = seen.intersect(pixels[giver])
    return gives
