"""The halos that a crew moves at each step, from the geometry of its partition alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from render.fragment import fragments
from render.grid import Grid
from render.lattice import Lattice
from render.partition import Block

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
    taken: list[list[int]] = [[] for _ in blocks]
    for gives in fragments(grid, lattice, blocks):
        for taker, rect in gives.items():
            taken[taker].append(rect.area * _CHANNELS * value_bytes)
    most = max(taken, key=sum)
    return Traffic(sum(map(sum, taken)), sum(most), len(most))
