"""Frames around pictures: parts and margins, in bands of any height."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from render.geometry.rect import Rect, Size
from render.pictures.frame import FramedPicture, crop_frame, pad_frame

SIDES = st.integers(1, 40)
SHARES = st.floats(0, 1)


@dataclass
class Samples:
    values: np.ndarray
    depth = 8

    @property
    def height(self) -> int:
        return int(self.values.shape[0])

    @property
    def width(self) -> int:
        return int(self.values.shape[1])

    def bands(self, rows: int) -> Iterator[np.ndarray]:
        for top in range(0, self.height, rows):
            yield self.values[top : top + rows]


@given(
    st.tuples(SIDES, SIDES),
    st.tuples(st.integers(-30, 30), st.integers(-30, 30)),
    st.tuples(SIDES, SIDES),
    st.integers(1, 50),
)
def test_any_frame_shows_the_nearest_pixels(
    size: Size, corner: tuple[int, int], extent: Size, rows: int
) -> None:
    values = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    frame = Rect(*corner, corner[0] + extent[0], corner[1] + extent[1])
    framed = FramedPicture(Samples(values), frame)
    bands = list(framed.bands(rows))

    assert (framed.height, framed.width) == extent
    assert all(1 <= len(band) <= rows for band in bands)
    at = [
        np.arange(start, stop).clip(0, side - 1)
        for start, stop, side in zip(frame[:2], frame[2:], size, strict=True)
    ]
    np.testing.assert_array_equal(np.concatenate(bands), values[at[0]][:, at[1]])


@given(st.tuples(SIDES, SIDES), st.tuples(SIDES, SIDES), st.tuples(SHARES, SHARES))
def test_a_crop_is_the_largest_part_of_the_shape(
    size: Size, shape: Size, focus: tuple[float, float]
) -> None:
    frame = crop_frame(size, shape, focus)
    assert frame.intersect(Rect(0, 0, *size)) == frame
    assert frame.height == size[0] or frame.width == size[1]
    off = (
        abs(frame.height - frame.width * shape[0] / shape[1]),
        abs(frame.width - frame.height * shape[1] / shape[0]),
    )
    assert min(off) <= 0.5 or 1 in (frame.height, frame.width)


@pytest.mark.parametrize(
    ("focus", "left"), [((0.5, 0.5), 25), ((0.0, 0.5), 0), ((1, 0), 50), ((0.4, 0.9), 15)]
)
def test_a_crop_is_as_near_to_the_focus_as_can_be(focus: tuple[float, float], left: int) -> None:
    assert crop_frame((50, 100), (1, 1), focus) == Rect(0, left, 50, left + 50)


@given(st.tuples(SIDES, SIDES), st.tuples(SIDES, SIDES))
def test_padding_keeps_the_whole_picture_in_the_middle(size: Size, shape: Size) -> None:
    frame = pad_frame(size, shape)
    whole = Rect(0, 0, *size)
    assert frame.intersect(whole) == whole
    assert abs(frame.top + frame.bottom - size[0]) <= 1
    assert abs(frame.left + frame.right - size[1]) <= 1
