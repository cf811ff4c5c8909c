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
    """A block for each member; the first `len(grid)` members alone where there are fewer tiles.

    Halves the grid again and again, so that blocks stay compact: their borders are what neighbours
    exchange at every step.
    """
    return _split(Block(0, 0, grid.rows, grid.columns), min(members, len(grid)))


def _split(block: Block, members: int) -> tuple[Block, ...]:
    if members == 1:
        return (block,)
    first, second, share = min(_cuts(block, members), key=lambda cut: _cost(*cut, members))
    return _split(first, share) + _split(second, members - share)


def _cuts(block: Block, members: int) -> list[tuple[Block, Block, int]]:
    """Every way to cut a block in two, with the members that the first part then gets."""
    pairs = [
        (
            Block(block.top, block.left, at, block.right),
            Block(at, block.left, block.bottom, block.right),
        )
        for at in range(block.top + 1, block.bottom)
    ] + [
        (
            Block(block.top, block.left, block.bottom, at),
            Block(block.top, at, block.bottom, block.right),
        )
        for at in range(block.left + 1, block.right)
    ]
    return [
        (first, second, share)
        for first, second in pairs
        for share in range(1, members)
        if _count(first) >= share and _count(second) >= members - share
    ]


def _cost(first: Block, second: Block, share: int, members: int) -> tuple[int, int]:
    """The tiles of the busiest member at the least, then the length of the cut."""
    busiest = max(-(-_count(first) // share), -(-_count(second) // (members - share)))
    rows_cut = first.bottom != second.bottom
    return busiest, (first.right - first.left) if rows_cut else (first.bottom - first.top)


def _count(block: Block) -> int:
    return (block.bottom - block.top) * (block.right - block.left)


def fragments(
    grid: Grid, reach: int, blocks: tuple[Block, ...], giver: int, taker: int
) -> tuple[Rect, ...]:
    """The pixels of the giver's block that the taker's windows may need, in tile order.

    A block is a rectangle, so what its tiles' windows cover together is the block grown by the
    windows' reach: the pixels wanted of each of the giver's tiles are a rectangle too.
    """
    if giver == taker:
        return ()
    wanted = blocks[taker].pixels(grid).grown(reach).intersect(grid.whole)
    shared = wanted.intersect(blocks[giver].pixels(grid))
    return tuple(shared.intersect(grid.core(tile)) for tile in grid.touching(shared))
