"""Octaves count up from a small size to the full one, the same for every final size."""

from itertools import pairwise
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render.dream.config import Dream
from render.dream.octaves import SMALLEST_SIDE, octave_sizes, picture_shape

SIDES = st.integers(1, 30_000)
SCALES = st.floats(1.05, 4)

Size = tuple[int, int]


def sizes_of(size: Size, source: Size, octave_scale: float = 1.4) -> tuple[Size, ...]:
    return octave_sizes(size, Dream(octave_scale=octave_scale), picture_shape(source, size))


@given(
    st.tuples(SIDES, SIDES),
    st.tuples(SIDES, SIDES),
    st.one_of(st.just("auto"), st.integers(1, 12)),
    SCALES,
)
def test_octaves_grow_to_the_full_size(
    size: Size, source: Size, octaves: object, octave_scale: float
) -> None:
    dream = Dream(octaves=octaves, octave_scale=octave_scale)  # type: ignore[arg-type]
    sizes = octave_sizes(size, dream, picture_shape(source, size))
    assert sizes[-1] == size
    assert all(side >= 1 for octave in sizes for side in octave)
    for before, after in pairwise(sizes):
        assert before[0] <= after[0]
        assert before[1] <= after[1]


@given(
    st.tuples(st.integers(50, 5000), st.integers(50, 5000)),
    st.tuples(st.integers(30, 20_000), st.integers(30, 20_000)),
    SCALES,
)
def test_all_widths_of_a_picture_have_the_same_first_octaves(
    source: Size, widths: Size, octave_scale: float
) -> None:
    height, width = source
    small, large = sorted(widths)
    first, second = (
        sizes_of((max(1, round(one * height / width)), one), source, octave_scale)
        for one in (small, large)
    )
    assert len(first) <= len(second)
    assert first[:-1] == second[: len(first) - 1]


@pytest.mark.parametrize(
    ("size", "shape"),
    [
        ((400, 600), (2000, 3000)),
        ((401, 600), (2000, 3000)),
        ((402, 600), (402, 600)),
        ((400, 601), (2000, 3000)),
        ((67, 100), (2000, 3000)),
    ],
)
def test_a_rounded_size_has_the_shape_of_its_picture(size: Size, shape: Size) -> None:
    assert picture_shape((2000, 3000), size) == shape


@given(st.integers(119, 30_000), st.integers(119, 30_000))
def test_auto_starts_at_the_same_size_for_every_poster(height: int, width: int) -> None:
    assert min(sizes_of((height, width), (height, width))[0]) == SMALLEST_SIDE


@given(st.integers(1, 20_000), SCALES)
def test_the_last_octave_is_at_least_half_a_step_larger_and_less_than_one_and_a_half(
    side: int, octave_scale: float
) -> None:
    sizes = sizes_of((side, side), (1, 1), octave_scale)
    for before, after in pairwise(sizes[-2:]):
        # A side is rounded to a pixel, of at least 100.
        assert sqrt(octave_scale) / 1.006 <= after[0] / before[0] <= octave_scale**1.5 * 1.006


@pytest.mark.parametrize(
    ("side", "wanted"),
    [
        (1, [1]),
        (100, [100]),
        (118, [118]),
        (119, [100, 119]),
        (143, [100, 143]),
        (165, [100, 165]),
        (166, [100, 140, 166]),
        (200, [100, 140, 200]),
        # 2% more than a whole octave: it takes its place.
        (280, [100, 140, 196, 280]),
        (600, [100, 140, 196, 274, 384, 600]),
        (637, [100, 140, 196, 274, 384, 538, 637]),
    ],
)
def test_an_octave_is_left_out_if_the_last_one_is_nearly_as_large(
    side: int, wanted: list[int]
) -> None:
    assert [octave[0] for octave in sizes_of((side, side), (1, 1))] == wanted


def test_a_given_number_of_octaves_counts_down() -> None:
    assert octave_sizes((100, 200), Dream(octaves=3, octave_scale=2.0)) == (
        (25, 50),
        (50, 100),
        (100, 200),
    )
