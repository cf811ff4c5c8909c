"""Halo traffic is the pixels of other workers in a worker's windows, pixel by pixel."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.planning.estimate.network import halo_traffic
from render.geometry.grid import Grid
from render.geometry.partition import Block, partition
from render.geometry.sampling_grid import SamplingGrid

SIDES = st.integers(1, 300)


def lacked(grid: Grid, sampling_grid: SamplingGrid, taker: Block) -> int:
    """The pixels in the windows of a worker's tiles that it does not hold."""
    seen = np.zeros((grid.height, grid.width), bool)
    size = (grid.height, grid.width)
    for tile in taker.tiles(grid):
        for offset in range(max(1, sampling_grid.span)):
            window = sampling_grid.window(grid.core(tile), grid.tile, (offset, offset), size)
            seen[window.intersect(grid.whole).slices()] = True
    # Some jitter shows each of these rows and each of these columns, independently.
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    return len(rows) * len(columns) - taker.pixels(grid).area


@settings(max_examples=40)
@given(SIDES, SIDES, st.integers(16, 200), st.integers(1, 9), st.sampled_from([11, 91, 400]))
def test_traffic_is_every_missing_pixel(
    height: int, width: int, tile: int, workers: int, field: int
) -> None:
    grid, sampling_grid = Grid(height, width, tile), SamplingGrid(4, field, jitter=6)
    blocks = partition(grid, workers)
    lacking = [lacked(grid, sampling_grid, block) for block in blocks]
    found = halo_traffic(grid, sampling_grid, blocks, 4)

    assert found.total_bytes == sum(lacking) * 3 * 4
    assert found.busiest_bytes == max(lacking) * 3 * 4
    assert found.busiest_transfers < max(2, len(blocks))


def test_one_worker_has_no_traffic() -> None:
    grid, sampling_grid = Grid(900, 700, 128), SamplingGrid(8, 91, jitter=32)
    found = halo_traffic(grid, sampling_grid, partition(grid, 1), 4)
    assert (found.total_bytes, found.busiest_bytes, found.busiest_transfers) == (0, 0, 0)


def test_two_halves_exchange_one_halo_each() -> None:
    grid, sampling_grid = Grid(1024, 512, 256), SamplingGrid(8, 91, jitter=32)
    found = halo_traffic(grid, sampling_grid, partition(grid, 2), 4)
    row = 512 * 3 * 4

    assert found.busiest_transfers == 1
    assert (
        sampling_grid.halo * row <= found.total_bytes - found.busiest_bytes <= found.busiest_bytes
    )
    assert found.busiest_bytes <= (sampling_grid.halo + 2 * sampling_grid.stride) * row


def test_float64_is_twice_float32() -> None:
    grid, sampling_grid = Grid(900, 700, 128), SamplingGrid(8, 91, jitter=32)
    single, double = (
        halo_traffic(grid, sampling_grid, partition(grid, 3), size) for size in (4, 8)
    )
    assert double.total_bytes == 2 * single.total_bytes > 0
