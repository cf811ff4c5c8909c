"""Which tiles each member of a crew holds: rectangles of whole tiles, as equal as they can be."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from heapq import nsmallest
from typing import NamedTuple

from render.grid import Grid
from render.rect import Rect

_TRIED = 4
"""Cuts that are followed to their end: what one promises is the least that it may come to."""


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
    """A block for each member; empty for the last ones where there are fewer tiles than members.

    Cuts the grid in two again and again, so that blocks stay compact: their borders are what
    neighbours exchange at every step.
    """
    busy = min(members, len(grid))
    idle = (Block(0, 0, 0, 0),) * (members - busy)
    return _split(Block(0, 0, grid.rows, grid.columns), busy) + idle


def _split(block: Block, members: int) -> tuple[Block, ...]:
    cut = _outcome(block.bottom - block.top, block.right - block.left, members).cut
    if cut is None:
        return (block,)
    row, column = block.top + cut.rows, block.left + cut.columns
    if cut.rows:
        first, second = replace(block, bottom=row), replace(block, top=row)
    else:
        first, second = replace(block, right=column), replace(block, left=column)
    return _split(first, cut.share) + _split(second, members - cut.share)


class _Cut(NamedTuple):
    """The rows, or else the columns, of the first of two parts, and the members that it gets."""

    rows: int
    columns: int
    share: int


class _Outcome(NamedTuple):
    """The busiest member's tiles, the blocks' sides together, and the first cut to that end."""

    busiest: int
    border: int
    cut: _Cut | None


@lru_cache(1 << 14)
def _outcome(rows: int, columns: int, members: int) -> _Outcome:
    """How well so many rows and columns of tiles can be cut, as far as a look ahead tells.

    Blocks of one shape are cut alike, and a grid in 512 has only tens of shapes to hundreds.
    """
    if members == 1:
        return _Outcome(rows * columns, rows + columns, None)
    best: _Outcome | None = None
    for promise, cut in nsmallest(_TRIED, _cuts(rows, columns, members)):
        if best is not None and promise[0] >= best.busiest:
            break
        first = _outcome(cut.rows or rows, cut.columns or columns, cut.share)
        second = _outcome(rows - cut.rows, columns - cut.columns, members - cut.share)
        found = _Outcome(max(first.busiest, second.busiest), first.border + second.border, cut)
        best = found if best is None else min(best, found, key=lambda one: one[:2])
    if best is None:
        raise ValueError(f"{rows} x {columns} tiles are too few for {members} members")
    return best


def _cuts(rows: int, columns: int, members: int) -> Iterator[tuple[tuple[int, int, int], _Cut]]:
    """Every way to cut in two, with what it promises: the tiles of the busiest member at the least,
    the length of the cut, and how unlike the parts are."""
    tiles = rows * columns
    parts = [(row, 0, row * columns, columns) for row in range(1, rows)]
    parts += [(0, column, column * rows, rows) for column in range(1, columns)]
    for row, column, first, length in parts:
        for share in _shares(first, tiles - first, members):
            other = members - share
            busiest = max(-(-first // share), -(-(tiles - first) // other))
            yield (busiest, length, abs(share - other)), _Cut(row, column, share)


def _shares(first: int, second: int, members: int) -> set[int]:
    """How many members the first of two parts may get: as many as are due to it, or one more; but
    nobody is left without a tile."""
    due = first * members // (first + second)
    least, most = max(1, members - second), min(members - 1, first)
    return {max(least, min(share, most)) for share in (due, due + 1)}
