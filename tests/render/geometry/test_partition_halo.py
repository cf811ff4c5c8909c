"""Members send each other the pixels that windows read of neighbours, and no others."""

import time

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from render.geometry.edges import Edges, axis_edges, picture_pixel
from render.geometry.grid import Grid
from render.geometry.partition import Block, halo_exchange, partition
from render.geometry.rect import Rect
from render.geometry.sampling_grid import SamplingGrid

SIDES = st.integers(1, 90)
GRIDS = st.builds(Grid, SIDES, SIDES, st.integers(5, 40))
SAMPLING_GRIDS = st.builds(
    SamplingGrid,
    st.sampled_from([1, 2, 4, 8]),
    st.integers(1, 30),
    st.integers(0, 9),
    st.sampled_from([0, 6]),
    st.sampled_from(["zero", "zero", "mirror", "wrap", "wrap-x", "wrap-y"]),
)


def shown(grid: Grid, sampling_grid: SamplingGrid, block: Block) -> np.ndarray:
    """The pixels that the windows of a block's tiles read, at any shift."""
    seen = np.zeros((grid.height, grid.width), bool)
    for tile in block.tiles(grid):
        rows, columns = np.zeros(grid.height, bool), np.zeros(grid.width, bool)
        for at in range(max(sampling_grid.span, 1)):
            # The window's rows depend only on the shift's rows, and its columns on the columns.
            window = sampling_grid.window(grid.core(tile), grid.tile, (at, at), seen.shape)
            mark(rows, window.top, window.bottom, sampling_grid.edges, 0)
            mark(columns, window.left, window.right, sampling_grid.edges, 1)
        seen |= np.outer(rows, columns)
    return seen


def mark(seen: np.ndarray, start: int, stop: int, edges: Edges, axis: int) -> None:
    """Mark the pixels of the picture that a part of an axis shows."""
    for pixel in range(start, stop):
        shown = picture_pixel(pixel, len(seen), axis_edges(edges)[axis])
        if 0 <= shown < len(seen):
            seen[shown] = True


def inside(grid: Grid, rect: Rect) -> np.ndarray:
    mask = np.zeros((grid.height, grid.width), bool)
    mask[rect.slices()] = True
    return mask


@given(GRIDS, SAMPLING_GRIDS, st.integers(1, 9))
def test_only_neighbours_get_pixels_and_only_those_they_read(
    grid: Grid, sampling_grid: SamplingGrid, members: int
) -> None:
    blocks = partition(grid, members)
    sends = halo_exchange(grid, sampling_grid, blocks)
    assert len(sends) == members
    for taker, block in enumerate(blocks):
        seen = shown(grid, sampling_grid, block)
        for giver, other in enumerate(blocks):
            wanted = seen & inside(grid, other.pixels(grid))
            if giver == taker or not wanted.any():
                assert taker not in sends[giver]
            else:
                rects = sends[giver][taker]
                assert len(rects) == 1 or "wrap" in axis_edges(sampling_grid.edges)
                sent = np.sum([inside(grid, rect) for rect in rects], 0, int)
                np.testing.assert_array_equal(sent, wanted)


def test_far_and_idle_members_send_and_receive_nothing() -> None:
    grid = Grid(100, 900, 100)
    blocks = (*partition(grid, 3), Block(0, 0, 0, 0))
    sends = halo_exchange(grid, SamplingGrid(stride=8, field=151, jitter=32), blocks)
    assert [set(given) for given in sends] == [{1}, {0, 2}, {1}, set()]
    # 150 pixels of halo, up to 7 more where the window starts on the grid: 300 - 157.
    assert sends[0][1] == (Rect(0, 143, 100, 300),)


def test_the_exchange_of_hundreds_of_members_is_planned_quickly() -> None:
    grid = Grid(64 * 512, 128 * 512, 512)
    blocks = partition(grid, 512)
    sampling_grid = SamplingGrid(stride=8, field=155, jitter=32, margin=14)
    begun = time.process_time()
    sends = halo_exchange(grid, sampling_grid, blocks)
    assert time.process_time() - begun < 1
    assert max(map(len, sends)) == 8
