"""How the tiles of an octave are divided among the members of a crew.

Each member holds one rectangle of whole tiles, sized by its speed. After each step members exchange
the pixels around their rectangles, the halos.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from heapq import nsmallest
from itertools import accumulate
from typing import NamedTuple

from render.geometry.grid import Grid
from render.geometry.rect import Rect
from render.geometry.sampling_grid import SamplingGrid

_TRIED = 4
"""The most promising cuts that the search follows to their end."""

_FEW = 8
"""With more members than this, of different speeds, the search follows only the best cut.

Then no two blocks have the same cuts, so the cache does not help.
"""


@dataclass(frozen=True)
class Block:
    """The tiles in rows [top, bottom) and columns [left, right) of a grid: one member's shard."""

    top: int
    left: int
    bottom: int
    right: int

    def tiles(self, grid: Grid) -> tuple[int, ...]:
        """The tiles, in tile order."""
        return tuple(
            row * grid.columns + column
            for row in range(self.top, self.bottom)
            for column in range(self.left, self.right)
        )

    def pixels(self, grid: Grid) -> Rect:
        """The pixels that the tiles cover together."""
        return grid.block(self.top, self.left, self.bottom, self.right)


def partition(grid: Grid, members: int) -> tuple[Block, ...]:
    """A block for each member, as equal as possible.

    The last blocks are empty if there are fewer tiles than members.
    """
    return partition_by_speed(grid, (1.0,) * members)


def partition_by_speed(grid: Grid, speeds: Sequence[float]) -> tuple[Block, ...]:
    """A block for each member, sized so that all members finish at the same time.

    `speeds` are above 0, in tiles a second or any other unit. The slowest members get empty blocks
    if there are fewer tiles than members. The grid is cut in two again and again, which keeps
    blocks compact: neighbours exchange the pixels along their borders at every step.
    """
    if min(speeds) == max(speeds):
        speeds = (1.0,) * len(speeds)
    fastest = sorted(range(len(speeds)), key=lambda member: -speeds[member])[: len(grid)]
    busy = sorted(fastest)
    whole = Block(0, 0, grid.rows, grid.columns)
    blocks = dict(zip(busy, _split(whole, tuple(speeds[member] for member in busy)), strict=True))
    return tuple(blocks.get(member, Block(0, 0, 0, 0)) for member in range(len(speeds)))


_Speeds = tuple[float, ...]


def _split(block: Block, speeds: _Speeds) -> tuple[Block, ...]:
    cut = _best_division(block.bottom - block.top, block.right - block.left, speeds).cut
    if cut is None:
        return (block,)
    row, column = block.top + cut.rows, block.left + cut.columns
    if cut.rows:
        first, second = replace(block, bottom=row), replace(block, top=row)
    else:
        first, second = replace(block, right=column), replace(block, left=column)
    return _split(first, speeds[: cut.members]) + _split(second, speeds[cut.members :])


class _Cut(NamedTuple):
    """A cut in two: the rows or else the columns of the first part, and its number of members."""

    rows: int
    columns: int
    members: int


class _Division(NamedTuple):
    """The time of the slowest member, the sum of the blocks' sides, and the first cut."""

    longest: float
    border: int
    cut: _Cut | None


def _tried_cuts(speeds: _Speeds) -> int:
    return _TRIED if len(speeds) <= _FEW or min(speeds) == max(speeds) else 1


@lru_cache(1 << 14)
def _best_division(rows: int, columns: int, speeds: _Speeds) -> _Division:
    """The best division of a block that the search finds.

    Blocks of one shape have the same division, so it is cached: 512 members make only tens to
    hundreds of shapes.
    """
    if len(speeds) == 1:
        return _Division(rows * columns / speeds[0], rows + columns, None)
    best: _Division | None = None
    for bound, cut in nsmallest(_tried_cuts(speeds), _cuts(rows, columns, speeds)):
        if best is not None and bound[0] >= best.longest:
            break
        first = _best_division(cut.rows or rows, cut.columns or columns, speeds[: cut.members])
        second = _best_division(rows - cut.rows, columns - cut.columns, speeds[cut.members :])
        division = _Division(max(first.longest, second.longest), first.border + second.border, cut)
        best = division if best is None else min(best, division, key=lambda one: one[:2])
    if best is None:
        raise ValueError(f"{rows} x {columns} tiles are too few for {len(speeds)} members")
    return best


def _cuts(
    rows: int, columns: int, speeds: _Speeds
) -> Iterator[tuple[tuple[float, int, int], _Cut]]:
    """Every way to cut in two, with a lower bound of its outcome.

    The bound is the least time, the length of the cut, and how much the parts differ.
    """
    tiles, count = rows * columns, len(speeds)
    cumulative = list(accumulate(speeds))
    # Tiles are whole. The bound counts that only for equal speeds, where it is cheap.
    common_speed = speeds[0] if min(speeds) == max(speeds) else None

    def least(part: int, members: int, speed: float) -> float:
        return part / speed if common_speed is None else -(-part // members) / common_speed

    parts = [(row, 0, row * columns, columns) for row in range(1, rows)]
    parts += [(0, column, column * rows, rows) for column in range(1, columns)]
    for row, column, first, length in parts:
        second = tiles - first
        fair_count = bisect_right(cumulative, first * cumulative[-1] / tiles)
        for members in _first_counts(first, second, count, fair_count):
            speed, other = cumulative[members - 1], count - members
            longest = max(
                least(first, members, speed), least(second, other, cumulative[-1] - speed)
            )
            yield (longest, length, abs(members - other)), _Cut(row, column, members)


def _first_counts(first: int, second: int, count: int, fair_count: int) -> set[int]:
    """How many members the first part may get: `fair_count`, or one more.

    fair_count: the most members with at most the part's fraction of all speed. Every member keeps
    at least one tile.
    """
    least, most = max(1, count - second), min(count - 1, first)
    return {max(least, min(members, most)) for members in (fair_count, fair_count + 1)}


HaloSends = Mapping[int, tuple[Rect, ...]]
"""What one member sends after each step: for each receiving member, pixels of its own block."""


def halo_exchange(
    grid: Grid, sampling_grid: SamplingGrid, blocks: Sequence[Block]
) -> tuple[dict[int, tuple[Rect, ...]], ...]:
    """What each member sends, the same after every step; member i holds `blocks[i]` of the grid.

    A receiver gets the pixels of the sender's block that its own windows read, at any jitter. That
    is one rectangle for each pair: blocks are rectangles, so the union of a block's windows is one,
    and so is its intersection with another block. Windows that read round an edge may read up to
    four parts of a block.
    """
    import numpy as np  # here, because `dreamfarm list` needs no numpy

    holders = np.empty((grid.rows, grid.columns), np.intp)
    for member, block in enumerate(blocks):
        holders[block.top : block.bottom, block.left : block.right] = member
    pixels = [block.pixels(grid) for block in blocks]
    sends: tuple[dict[int, tuple[Rect, ...]], ...] = tuple({} for _ in blocks)
    for receiver, own in enumerate(pixels):
        if not own.area:
            continue
        for read in sampling_grid.pixels_read(own, grid.tile, (grid.height, grid.width)):
            for sender in np.unique(holders[grid.tiles(read).slices()]).tolist():
                if sender != receiver:
                    sent = sends[sender].get(receiver, ())
                    sends[sender][receiver] = (*sent, read.intersect(pixels[sender]))
    return sends
