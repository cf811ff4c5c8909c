"""Panels cover the picture, overlap by the same pixels, and none is needless."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from render.pictures.panels import PanelGrid

SIDES = st.integers(1, 90)


@st.composite
def grids(draw: st.DrawFn) -> PanelGrid:
    """A grid of any size and overlap."""
    height, width = draw(SIDES), draw(SIDES)
    panel = draw(st.integers(1, height)), draw(st.integers(1, width))
    return PanelGrid((height, width), panel, draw(st.integers(0, min(panel) - 1)))


@given(grids())
def test_panels_put_together_are_the_picture(grid: PanelGrid) -> None:
    height, width = grid.size
    picture = np.arange(height * width).reshape(height, width)
    together = np.full_like(picture, -1)
    for panel in grid.panels():
        part = picture[panel.pixels.slices()]
        assert part.shape[0] <= grid.panel[0]
        assert part.shape[1] <= grid.panel[1]
        together[panel.pixels.slices()] = part
    np.testing.assert_array_equal(together, picture)


@given(grids())
def test_neighbours_share_the_overlap(grid: PanelGrid) -> None:
    panels = {(one.row, one.column): one.pixels for one in grid.panels()}
    assert len(panels) == grid.rows * grid.columns
    for (row, column), pixels in panels.items():
        if (right := panels.get((row, column + 1))) is not None:
            assert pixels.right - right.left == grid.overlap
            assert right.width > grid.overlap, "it shows more than its neighbour does"
        if (below := panels.get((row + 1, column))) is not None:
            assert pixels.bottom - below.top == grid.overlap
            assert below.height > grid.overlap


def test_names_count_rows_and_columns_and_sort() -> None:
    grid = PanelGrid((20, 100), (10, 10))
    names = [grid.name(one) for one in grid.panels()]
    assert names[:2] == ["r1-c01", "r1-c02"]
    assert names[-1] == "r2-c10"
    assert names == sorted(names)


def test_the_last_column_may_be_narrower() -> None:
    grid = PanelGrid((20, 130), (20, 50), 10)
    assert [one.pixels[1::2] for one in grid.panels()] == [(0, 50), (40, 90), (80, 130)]
    assert PanelGrid((20, 131), (20, 50), 10).columns == 4
