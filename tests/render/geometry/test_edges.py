"""Pictures continue beyond their edges as numpy's `pad` continues them, and are read once."""

from typing import Literal

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch import Tensor

from render.dream.plane import endless
from render.geometry.edges import Edge, Edges, clip, picture_pixel, shown_rects, shown_spans
from render.geometry.rect import Rect, Size

SIDES = st.integers(1, 12)
PLACES = st.integers(-30, 30)
RECTS = st.builds(
    lambda top, left, height, width: Rect(top, left, top + height, left + width),
    *(PLACES, PLACES, st.integers(1, 40), st.integers(1, 40)),
)
EDGES: st.SearchStrategy[Edges] = st.sampled_from(["zero", "mirror", "wrap", "wrap-x", "wrap-y"])
REACH = 70


def continued(picture: np.ndarray, edges: Edges) -> np.ndarray:
    """The picture with REACH more pixels on each side."""
    modes: dict[Edges, list[Literal["constant", "symmetric", "wrap"]]] = {
        "zero": ["constant", "constant"],
        "mirror": ["symmetric", "symmetric"],
        "wrap": ["wrap", "wrap"],
        "wrap-x": ["constant", "wrap"],
        "wrap-y": ["wrap", "constant"],
    }
    for axis, mode in enumerate(modes[edges]):
        widths = [(REACH, REACH) if one == axis else (0, 0) for one in range(3)]
        picture = np.pad(picture, widths, mode)
    return picture


@given(st.tuples(SIDES, SIDES), RECTS, EDGES)
@example((1, 1), Rect(-9, -9, 9, 9), "mirror")
@example((5, 7), Rect(-1, 3, 6, 8), "wrap")
def test_a_plane_is_read_as_numpy_pads(size: Size, rect: Rect, edges: Edges) -> None:
    picture = np.random.default_rng(1).random((*size, 2))
    reads: list[Rect] = []
    padded = torch.from_numpy(continued(picture, "zero"))

    def read(part: Rect) -> Tensor:
        reads.append(part)
        return padded[part.slices((-REACH, -REACH))]

    found = endless(read, size, edges)(rect)
    wanted = continued(picture, edges)[rect.slices((-REACH, -REACH))]
    np.testing.assert_array_equal(found.numpy(), wanted)
    assert len(reads) <= 4
    assert not any(
        one.intersect(other).area for number, one in enumerate(reads) for other in reads[:number]
    )


@given(PLACES, st.integers(0, 40), SIDES, st.sampled_from(["zero", "mirror", "wrap"]))
def test_spans_have_the_pixels_that_are_shown(
    start: int, length: int, side: int, edge: Edge
) -> None:
    stop = start + length
    shown = {picture_pixel(pixel, side, edge) for pixel in range(start, stop)}
    spans = shown_spans(start, stop, side, edge)
    listed = [pixel for span in spans for pixel in range(*span)]
    assert listed == sorted(shown & set(range(side)))
    assert len(spans) <= 2


@pytest.mark.parametrize(
    ("edges", "clipped", "shown"),
    [
        ("zero", Rect(0, 3, 4, 8), [Rect(0, 3, 4, 8)]),
        ("mirror", Rect(-2, 3, 4, 10), [Rect(0, 3, 4, 8)]),
        ("wrap-x", Rect(0, 3, 4, 10), [Rect(0, 0, 4, 2), Rect(0, 3, 4, 8)]),
        ("wrap-y", Rect(-2, 3, 4, 8), [Rect(0, 3, 4, 8), Rect(5, 3, 7, 8)]),
        (
            "wrap",
            Rect(-2, 3, 4, 10),
            [Rect(0, 0, 4, 2), Rect(0, 3, 4, 8), Rect(5, 0, 7, 2), Rect(5, 3, 7, 8)],
        ),
    ],
)
def test_a_rectangle_across_a_corner(edges: Edges, clipped: Rect, shown: list[Rect]) -> None:
    rect, size = Rect(-2, 3, 4, 10), (7, 8)
    assert clip(rect, size, edges) == clipped
    assert shown_rects(rect, size, edges) == shown


@pytest.mark.parametrize("other", [Rect(2, 3, 5, 9), Rect(0, 0, 20, 20), Rect(6, 6, 30, 30)])
def test_what_is_left_of_a_rectangle(other: Rect) -> None:
    rect = Rect(1, 2, 10, 12)
    covered = np.zeros((40, 40), int)
    for part in rect.without(other):
        assert part.area
        covered[part.slices()] += 1
    wanted = np.zeros((40, 40), int)
    wanted[rect.slices()] = 1
    wanted[other.slices()] = 0
    np.testing.assert_array_equal(covered, wanted)
