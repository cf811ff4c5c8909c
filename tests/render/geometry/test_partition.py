"""Each tile has one holder, and blocks are equal or in proportion to speeds."""

import math
import time

from hypothesis import example, given
from hypothesis import strategies as st

from render.geometry.grid import Grid
from render.geometry.partition import partition, partition_by_speed

SIDES = st.integers(1, 300)
GRIDS = st.builds(Grid, SIDES, SIDES, st.integers(9, 80))
SPEEDS = st.lists(st.floats(0.1, 10), min_size=1, max_size=12)


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
def test_blocks_are_nearly_equal(rows: int, columns: int, members: int) -> None:
    """Rectangles cannot always be equal; none exceeds its share by more than a row or column."""
    grid = Grid(rows * 10, columns * 10, 10)
    most = max(len(block.tiles(grid)) for block in partition(grid, members))
    share = -(-rows * columns // min(members, rows * columns))
    assert most <= share + min(rows, columns)


def test_members_that_divide_the_grid_get_equal_blocks() -> None:
    grid = Grid(600, 800, 100)
    for members in (1, 2, 3, 4, 6, 8, 12):
        assert {len(block.tiles(grid)) for block in partition(grid, members)} == {48 // members}


def test_blocks_are_compact() -> None:
    """The sum of their sides is near that of squares, for any number of members."""
    for members, rows, columns in ((64, 32, 32), (512, 64, 128)):
        side = math.isqrt(rows * columns // members)
        for block in partition(Grid(rows * 10, columns * 10, 10), members):
            assert (block.bottom - block.top, block.right - block.left) == (side, side)


def test_a_grid_is_cut_quickly_for_hundreds_of_members() -> None:
    begun = time.process_time()
    blocks = partition(Grid(300 * 512, 401 * 512, 512), 511)
    assert time.process_time() - begun < 5
    assert all(block.bottom > block.top and block.right > block.left for block in blocks)


@given(GRIDS, SPEEDS)
def test_uneven_blocks_cover_the_grid_too(grid: Grid, speeds: list[float]) -> None:
    blocks = partition_by_speed(grid, speeds)
    held = [tile for block in blocks for tile in block.tiles(grid)]
    assert sorted(held) == list(range(len(grid)))
    idle = [speed for speed, block in zip(speeds, blocks, strict=True) if not block.tiles(grid)]
    assert sorted(idle) == sorted(speeds)[: max(0, len(speeds) - len(grid))]


@given(st.integers(10, 40), st.integers(10, 40), SPEEDS)
@example(40, 40, [1.0, 10.0] * 20)
@example(20, 20, [0.1, *[1.0] * 9])
@example(10, 10, [4.0, 2.0, 0.125, 1.0])
def test_members_finish_together(rows: int, columns: int, speeds: list[float]) -> None:
    """No member needs a quarter more than its share of the time, plus a row or column of tiles."""
    grid = Grid(rows * 10, columns * 10, 10)
    due = len(grid) / sum(speeds)
    for speed, block in zip(speeds, partition_by_speed(grid, speeds), strict=True):
        sides = block.bottom - block.top, block.right - block.left
        assert (len(block.tiles(grid)) - max(sides)) / speed <= 1.25 * due, (speeds, block)


@given(GRIDS, st.integers(1, 12), st.floats(0.1, 10))
def test_equal_speeds_give_equal_blocks(grid: Grid, members: int, speed: float) -> None:
    assert partition_by_speed(grid, [speed] * members) == partition(grid, members)


def test_a_grid_is_cut_quickly_for_hundreds_of_different_speeds() -> None:
    grid = Grid(300 * 512, 401 * 512, 512)
    speeds = [1 + member % 7 / 7 for member in range(511)]
    begun = time.process_time()
    blocks = partition_by_speed(grid, speeds)
    assert time.process_time() - begun < 5
    longest = max(
        len(block.tiles(grid)) / speed for speed, block in zip(speeds, blocks, strict=True)
    )
    assert longest < 1.1 * len(grid) / sum(speeds)
