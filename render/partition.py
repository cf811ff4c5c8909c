"""Which tiles each member of a crew holds: rectangles of whole tiles, as equal as they can be."""

from dataclasses import dataclass

from render.grid import Grid
from render.rect import Rect


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

    Halves the grid again and again, so that blocks stay compact: their borders are what neighbours
    exchange at every step.
    """
    busy = min(members, len(grid))
    idle = (Block(0, 0, 0, 0),) * (members - busy)
    return _split(Block(0, 0, grid.rows, grid.columns), busy) + idle


def _split(block: Block, members: int) -> tuple[Block, ...]:
    if members == 1:
        return (block,)
    first, second, share = min(_cuts(block, members), key=lambda cut: _cost(cut, members))
    return _split(first, share) + _split(second, members - share)


def _cuts(block: Block, members: int) -> list[tuple[Block, Block, int]]:
    """Every way to cut a block in two, with the members that the first part then gets."""
    top, left, bottom, right = block.top, block.left, block.bottom, block.right
    pairs = [
        (Block(top, left, at, right), Block(at, left, bottom, right))
        for at in range(top + 1, bottom)
    ]
    pairs += [
        (Block(top, left, bottom, at), Block(top, at, bottom, right))
        for at in range(left + 1, right)
    ]
    return [
        (first, second, share)
        for first, second in pairs
        for share in range(1, members)
        if _count(first) >= share and _count(second) >= members - share
    ]


def _cost(cut: tuple[Block, Block, int], members: int) -> tuple[int, int]:
    """The tiles of the busiest member at the least, then the length of the cut."""
    first, second, share = cut
    busiest = max(-(-_count(first) // share), -(-_count(second) // (members - share)))
    rows_cut = first.bottom != second.bottom
    return busiest, (first.right - first.left) if rows_cut else (first.bottom - first.top)


def _count(block: Block) -> int:
    return (block.bottom - block.top) * (block.right - block.left)


def fragment(grid: Grid, reach: int, giver: Block, taker: Block) -> Rect:
    """The giver's pixels that windows of the taker's tiles may need; empty for most pairs.

    Blocks are rectangles, so what a block's windows cover together is the block grown by the
    windows' reach, and what two blocks share is a rectangle too.
    """
    if not _count(taker):
        return Rect(0, 0, 0, 0)
    return taker.pixels(grid).grown(reach).intersect(giver.pixels(grid))
