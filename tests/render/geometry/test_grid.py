"""Tiles cover the picture, and a rectangle overlaps the right ones."""

from hypothesis import given
from hypothesis import strategies as st

from render.geometry.grid import Grid
from render.geometry.rect import Rect

GRIDS = st.builds(Grid, st.integers(1, 200), st.integers(1, 200), st.integers(7, 90))
PLACES = st.integers(-50, 250)


@given(GRIDS)
def test_cores_tile_the_picture(grid: Grid) -> None:
    assert len(grid) == grid.rows * grid.columns
    assert sum(grid.core(tile).area for tile in range(len(grid))) == grid.whole.area
    assert all(
        grid.core(tile).intersect(grid.whole) == grid.core(tile) and grid.core(tile).area > 0
        for tile in range(len(grid))
    )


@given(GRIDS, st.builds(Rect, PLACES, PLACES, PLACES, PLACES))
def test_a_rectangle_touches_the_tiles_that_share_pixels(grid: Grid, rect: Rect) -> None:
    wanted = [tile for tile in range(len(grid)) if grid.core(tile).intersect(rect).area]
    assert list(grid.touching(rect)) == wanted
