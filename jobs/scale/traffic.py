"""The halos that a crew moves at each step, from the geometry of its partition alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from render.grid import Grid
from render.lattice import Lattice
from render.partition import Block, fragment

_CHANNELS = 3


@dataclass(frozen=True)
class Traffic:
    """Bytes that all members take from each other at a step; of the one that takes most, its bytes
    and in how many fragments it takes them."""

    total: int
    most: int
    fragments: int


def traffic(grid: Grid, lattice: Lattice, blocks: Sequence[Block], value_bytes: int) -> Traffic:
    """The halos of a crew whose members hold `blocks`, of `value_bytes` a channel."""
    reach = lattice.reach(grid.tile)
    # Blocks divide the picture, so what a member lacks of its surroundings the others have.
    taken = [_around(block, grid, reach) * _CHANNELS * value_bytes for block in blocks]
    busiest = blocks[taken.index(max(taken))]
    givers = (block for block in blocks if block != busiest)
    return Traffic(
        sum(taken),
        max(taken),
        sum(1 for giver in givers if fragment(grid, reach, giver, busiest).area),
    )


def _around(block: Block, grid: Grid, reach: int) -> int:
    """Pixels that a block's windows may need and that are not its own."""
    own = block.pixels(grid)
    return own.grown(reach).intersect(grid.whole).area - own.area if own.area else 0
