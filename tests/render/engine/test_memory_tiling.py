"""Automatic tiles stay within the memory and the limits, and split pictures evenly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render.engine.memory import MAX_TILE, MIN_TILE, WINDOW_BYTES, Cost, auto_tile
from render.geometry.sampling_grid import SamplingGrid, round_up

LIGHT = Cost(fixed=0, bytes_per_pixel=10, flops_per_pixel=1, weights=0)
HEAVY = Cost(fixed=0, bytes_per_pixel=2000, flops_per_pixel=1, weights=1 << 20)
HUGE = Cost(fixed=0, bytes_per_pixel=1e6, flops_per_pixel=1, weights=0)

sides = st.integers(1, 40_000)
sampling_grids = st.builds(
    SamplingGrid, st.sampled_from([1, 4, 16, 32]), st.integers(1, 600), st.just(32)
)


@given(sides, sides, sampling_grids)
def test_windows_stay_within_their_memory(
    height: int, width: int, sampling_grid: SamplingGrid
) -> None:
    tile = auto_tile((height, width), sampling_grid, HEAVY)

    least = max(MIN_TILE, round_up(sampling_grid.halo, 8))
    assert tile <= least or HEAVY.bytes(sampling_grid.window_side(tile) ** 2) <= WINDOW_BYTES


@given(sides, sides, sampling_grids, st.sampled_from([LIGHT, HEAVY, HUGE]))
def test_tiles_have_a_sensible_size(
    height: int, width: int, sampling_grid: SamplingGrid, cost: Cost
) -> None:
    tile = auto_tile((height, width), sampling_grid, cost)

    assert tile % 8 == 0
    assert 8 <= tile <= MAX_TILE
    assert tile <= max(height, width) + 7


@given(sides, sampling_grids)
def test_a_square_is_cut_evenly(side: int, sampling_grid: SamplingGrid) -> None:
    tile = auto_tile((side, side), sampling_grid, LIGHT)
    count = -(-side // tile)

    # With as many tiles, the last one could only be larger by the rounding.
    assert side - (count - 1) * tile >= tile - 8 * count


@pytest.mark.parametrize(("cost", "tile"), [(LIGHT, MAX_TILE), (HUGE, MIN_TILE)])
def test_the_cost_of_a_network_decides(cost: Cost, tile: int) -> None:
    assert auto_tile((2048 * 3, 2048 * 3), SamplingGrid(8, 91, 32), cost) == tile
