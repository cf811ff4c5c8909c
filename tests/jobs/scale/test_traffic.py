"""The halos of a step are what windows show of other members' tiles, pixel by pixel."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.planning.estimate.network import traffic
from render.geometry.grid import Grid
from render.geometry.partition import Block, partition
from render.geometry.sampling_grid import Lattice

SIDES = st.integers(1, 300)


def lacked(grid: Grid, lattice: Lattice, taker: Block) -> int:
    """Pixels of the picture that windows of a member's tiles show, and that it does not hold."""
    seen = np.zeros((grid.height, grid.width), bool)
    size = (grid.height, grid.width)
    for tile in taker.tiles(grid):
        for offset in range(max(1, lattice.span)):
            window = lattice.window(grid.core(tile), grid.tile, (offset, offset), size)
            seen[window.intersect(grid.whole).slices()] = True
    # Each pixel at one jitter or another, and rows and columns have theirs for themselves.
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    return len(rows) * len(columns) - taker.pixels(grid).area


@settings(max_examples=40)
@given(SIDES, SIDES, st.integers(16, 200), st.integers(1, 9), st.sampled_from([11, 91, 400]))
def test_traffic_is_all_that_members_lack(
    height: int, width: int, tile: int, workers: int, field: int
) -> None:
    grid, lattice = Grid(height, width, tile), Lattice(4, field, jitter=6)
    blocks = partition(grid, workers)
    lacking = [lacked(grid, lattice, block) for block in blocks]
    found = traffic(grid, lattice, blocks, 4)

    assert found.total == sum(lacking) * 3 * 4
    assert found.most == max(lacking) * 3 * 4
    assert found.fragments < max(2, len(blocks))


def test_who_works_alone_moves_nothing() -> None:
    grid, lattice = Grid(900, 700, 128), Lattice(8, 91, jitter=32)
    found = traffic(grid, lattice, partition(grid, 1), 4)
    assert (found.total, found.most, found.fragments) == (0, 0, 0)


def test_halves_take_one_fragment_each_of_their_border() -> None:
    grid, lattice = Grid(1024, 512, 256), Lattice(8, 91, jitter=32)
    found = traffic(grid, lattice, partition(grid, 2), 4)
    row = 512 * 3 * 4

    assert found.fragments == 1
    assert lattice.halo * row <= found.total - found.most <= found.most
    assert found.most <= (lattice.halo + 2 * lattice.stride) * row


def test_float64_is_twice_float32() -> None:
    grid, lattice = Grid(900, 700, 128), Lattice(8, 91, jitter=32)
    single, double = (traffic(grid, lattice, partition(grid, 3), size) for size in (4, 8))
    assert double.total == 2 * single.total > 0
