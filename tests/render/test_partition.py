"""Shards: who holds which tiles, and which pixels neighbours need of one another."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from render.grid import Grid
from render.lattice import Lattice
from render.partition import Block, fragment, partition
from render.rect import Rect

SIDES = st.integers(1, 300)
GRIDS = st.builds(Grid, SIDES, SIDES, st.integers(9, 80))
LATTICES = st.builds(
    Lattice, st.sampled_from([1, 2, 8, 12, 16]), st.integers(1, 91), st.integers(0, 40)
)


@given(GRIDS, st.integers(1, 9))
def test_every_tile_has_one_holder(grid: Grid, members: int) -> None:
    blocks = partition(grid, members)
    assert len(blocks) == members
    held = [tile for block in blocks for tile in block.tiles(grid)]
    assert sorted(held) == list(range(len(grid)))
    for block in blocks:
        assert list(block.tiles(grid)) == sorted(block.tiles(grid))
        pixels = sum(grid.core(tile).area for tile in block.tiles(grid))
        assert pixels == block.pixels(grid).area


@given(GRIDS, st.integers(1, 9))
def test_only_members_without_tiles_to_spare_are_idle(grid: Grid, members: int) -> None:
    held = [len(block.tiles(grid)) for block in partition(grid, members)]
    busy = min(members, len(grid))
    assert all(held[:busy])
    assert not any(held[busy:])


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 8))
@example(7, 7, 6)
@example(1, 40, 7)
def test_blocks_are_nearly_alike(rows: int, columns: int, members: int) -> None:
    """Rectangles cannot always be equal: nobody holds more than a row or column above its share."""
    grid = Grid(rows * 10, columns * 10, 10)
    most = max(len(block.tiles(grid)) for block in partition(grid, members))
    share = -(-rows * columns // min(members, rows * columns))
    assert most <= share + min(rows, columns)


def test_members_that_divide_the_grid_get_equal_blocks() -> None:
    grid = Grid(600, 800, 100)
    for members in (1, 2, 3, 4, 6, 8, 12):
        assert {len(block.tiles(grid)) for block in partition(grid, members)} == {48 // members}


@settings(max_examples=60)
@given(GRIDS, LATTICES, st.integers(1, 6), st.data())
def test_own_pixels_and_fragments_cover_every_window(
    grid: Grid, lattice: Lattice, members: int, data: st.DataObject
) -> None:
    reach = lattice.reach(grid.tile)
    blocks = partition(grid, members)
    offsets = st.integers(0, max(0, lattice.span - 1))
    offset = data.draw(st.tuples(offsets, offsets))
    for taker in blocks:
        given_to = [
            taker.pixels(grid) if giver == taker else fragment(grid, reach, giver, taker)
            for giver in blocks
        ]
        for tile in taker.tiles(grid):
            window = lattice.window(grid.core(tile), grid.tile, offset, (grid.height, grid.width))
            needed = window.intersect(grid.whole)
            assert sum(needed.intersect(part).area for part in given_to) == needed.area


@given(GRIDS, st.integers(0, 100), st.integers(1, 6))
def test_fragments_come_from_their_giver_and_lie_within_reach(
    grid: Grid, reach: int, members: int
) -> None:
    blocks = partition(grid, members)
    for giver in blocks:
        for taker in blocks:
            part = fragment(grid, reach, giver, taker)
            if part.area:
                assert part == part.intersect(giver.pixels(grid))
                assert part == part.intersect(taker.pixels(grid).grown(reach))


def test_nothing_is_asked_of_far_members_nor_for_idle_ones() -> None:
    grid = Grid(100, 900, 100)
    first, _, last = partition(grid, 3)
    assert first.tiles(grid) == (0, 1, 2)
    assert fragment(grid, 150, first, last).area == 0
    idle = Block(0, 0, 0, 0)
    assert fragment(grid, 150, first, idle) == fragment(grid, 150, idle, first) == Rect(0, 0, 0, 0)
