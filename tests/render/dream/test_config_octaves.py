"""Octaves grow from a small size to the full one."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from render.dream.config import SMALLEST_SIDE, Dream, octave_sizes

SIDES = st.integers(1, 30_000)


@given(st.tuples(SIDES, SIDES), st.one_of(st.just("auto"), st.integers(1, 12)))
def test_octaves_grow_to_the_full_size(size: tuple[int, int], octaves: object) -> None:
    sizes = octave_sizes(size, Dream(octaves=octaves))  # type: ignore[arg-type]
    assert sizes[-1] == size
    assert all(side >= 1 for octave in sizes for side in octave)
    for before, after in pairwise(sizes):
        assert before[0] <= after[0]
        assert before[1] <= after[1]


@given(st.integers(400, 30_000), st.integers(400, 30_000))
def test_auto_starts_at_the_same_size_for_every_poster(height: int, width: int) -> None:
    dream = Dream(octave_scale=1.4)
    smallest = min(octave_sizes((height, width), dream)[0])
    assert SMALLEST_SIDE - 1 <= smallest <= SMALLEST_SIDE * dream.octave_scale + 1


@pytest.mark.parametrize(("side", "count"), [(1, 1), (100, 1), (139, 1), (140, 2), (196, 3)])
def test_an_octave_is_added_as_soon_as_it_fits(side: int, count: int) -> None:
    assert len(octave_sizes((side, 5000), Dream(octave_scale=1.4))) == count


def test_a_given_number_of_octaves_is_kept() -> None:
    assert octave_sizes((100, 200), Dream(octaves=3, octave_scale=2.0)) == (
        (25, 50),
        (50, 100),
        (100, 200),
    )
