"""Which tiles each member of a crew holds: rectangles of whole tiles, each as large as is due."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from heapq import nsmallest
from itertools import accumulate
from typing import NamedTuple

from render.geometry.grid import Grid
from render.geometry.rect import Rect

_TRIED, _FEW = 4, 8
"""Cuts that are followed to their end: what one promises is the least that it may come to. Of more
than a few members that are not alike only the best one is: no two of their blocks are cut alike."""


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
    """A block for each member, for members that are alike: as equal as they can be.

    Empty for the last ones where there are fewer tiles than members.
    """
    return uneven(grid, (1.0,) * members)


def uneven(grid: Grid, speeds: Sequence[float]) -> tuple[Block, ...]:
    """A block for each member, as large as its speed in tiles a second, or in any other unit, lets
    it be done when the others are; each above 0.

    Empty for the slowest where there are fewer tiles than members. Cuts the grid in two again and
    again, so that blocks stay compact: their borders are what neighbours exchange at every step.
    """
    if min(speeds) == max(speeds):
        speeds = (1.0,) * len(speeds)
    fastest = sorted(range(len(speeds)), key=lambda member: -speeds[member])[: len(grid)]
    busy = sorted(fastest)
    whole = Block(0, 0, grid.rows, grid.columns)
    held = dict(zip(busy, _split(whole, tuple(speeds[member] for member in busy)), strict=True))
    return tuple(held.get(member, Block(0, 0, 0, 0)) for member in range(len(speeds)))


_Speeds = tuple[float, ...]


def _split(block: Block, speeds: _Speeds) -> tuple[Block, ...]:
    cut = _outcome(block.bottom - block.top, block.right - block.left, speeds).cut
    if cut is None:
        return (block,)
    row, column = block.top + cut.rows, block.left + cut.columns
    if cut.rows:
        first, second = replace(block, bottom=row), replace(block, top=row)
    else:
        first, second = replace(block, right=column), replace(block, left=column)
    return _split(first, speeds[: cut.share]) + _split(second, speeds[cut.share :])


class _Cut(NamedTuple):
    """The rows, or else the columns, of the first of two parts, and the members that it gets."""

    rows: int
    columns: int
    share: int


class _Outcome(NamedTuple):
    """The time of the member that takes longest, the blocks' sides together, and the first cut to
    that end."""

    longest: float
    border: int
    cut: _Cut | None


def _tried(speeds: _Speeds) -> int:
    return _TRIED if len(speeds) <= _FEW or min(speeds) == max(speeds) else 1


@lru_cache(1 << 14)
def _outcome(rows: int, columns: int, speeds: _Speeds) -> _Outcome:
    """How well so many rows and columns of tiles can be cut, as far as a look ahead tells.

    Blocks of one shape are cut alike, and a grid in 512 has only tens of shapes to hundreds.
    """
    if len(speeds) == 1:
        return _Outcome(rows * columns / speeds[0], rows + columns, None)
    best: _Outcome | None = None
    for promise, cut in nsmallest(_tried(speeds), _cuts(rows, columns, speeds)):
        if best is not None and promise[0] >= best.longest:
            break
        first = _outcome(cut.rows or rows, cut.columns or columns, speeds[: cut.share])
        second = _outcome(rows - cut.rows, columns - cut.columns, speeds[cut.share :])
        found = _Outcome(max(first.longest, second.longest), first.border + second.border, cut)
        best = found if best is None else min(best, found, key=lambda one: one[:2])
    if best is None:
        raise ValueError(f"{rows} x {columns} tiles are too few for {len(speeds)} members")
    return best


def _cuts(
    rows: int, columns: int, speeds: _Speeds
) -> Iterator[tuple[tuple[float, int, int], _Cut]]:
    """Every way to cut in two, with what it promises: the time at the least, the length of the cut,
    and how unlike the parts are."""
    tiles, members = rows * columns, len(speeds)
    reached = list(accumulate(speeds))
    # Nobody computes a part of a tile: that counts where all are alike, and is soon said.
    alike = speeds[0] if min(speeds) == max(speeds) else None

    def least(part: int, share: int, speed: float) -> float:
        return part / speed if alike is None else -(-part // share) / alike

    parts = [(row, 0, row * columns, columns) for row in range(1, rows)]
    parts += [(0, column, column * rows, rows) for column in range(1, columns)]
    for row, column, first, length in parts:
        second = tiles - first
        due = bisect_right(reached, first * reached[-1] / tiles)
        for share in _shares(first, second, members, due):
            speed, other = reached[share - 1], members - share
            longest = max(least(first, share, speed), least(second, other, reached[-1] - speed))
            yield (longest, length, abs(share - other)), _Cut(row, column, share)


def _shares(first: int, second: int, members: int, due: int) -> set[int]:
    """How many members the first of two parts may get: as many as are due to it, or one more; but
    nobody is left without a tile."""
    least, most = max(1, members - second), min(members - 1, first)
    return {max(least, min(share, most)) for share in (due, due + 1)}
