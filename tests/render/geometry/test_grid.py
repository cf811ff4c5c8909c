"""Tiles cover the picture, and a rectangle overlaps the right ones."""

from hypothesis import given
from hypothesis import strategies as st

from render.geometry.grid import Grid
from render.geometry.rect import Rect

SIDES = st.integers(1, 200)


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    """Grids of whole pictures and of regions."""
    height, width = draw(SIDES), draw(SIDES)
    top, left = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
    bottom, right = draw(st.integers(top + 1, height)), draw(st.integers(left + 1, width))
    region = draw(st.sampled_from([None, Rect(top, left, bottom, right)]))
    return Grid(height, width, draw(st.integers(7, 90)), region)


GRIDS = grids()
PLACES = st.integers(-50, 250)


@given(GRIDS)
def test_cores_tile_the_picture(grid: Grid) -> None:
    assert len(grid) == grid.rows * grid.columns
    assert sum(grid.core(tile).area for tile in range(len(grid))) == grid.covered.area
    assert all(
        grid.core(tile).intersect(grid.covered) == grid.core(tile) and grid.core(tile).area > 0
        for tile in range(len(grid))
    )


@given(GRIDS, st.builds(Rect, PLACES, PLACES, PLACES, PLACES))
def test_a_rectangle_touches_the_tiles_that_share_pixels(grid: Grid, rect: Rect) -> None:
    wanted = [tile for tile in range(len(grid)) if grid.core(tile).intersect(rect).area]
    assert list(grid.touching(rect)) == wanted
