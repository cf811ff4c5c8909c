"""Views of a picture are seeded, stay within their limits, and show the right pixels."""

from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from render.fourier.parametrisation import sample_view
from render.fourier.setup import ViewTransform, largest_view, view_transform

SEEDS = st.integers(0, 2**63 - 1)
STEPS = st.integers(0, 100_000)
TURNS = st.floats(0, 180)
STRAIGHT = ViewTransform(scale=1.0, degrees=0, down=0, right=0)


@given(
    SEEDS, STEPS, TURNS, st.tuples(st.integers(1, 700), st.integers(1, 700)), st.integers(0, 100)
)
def test_views_stay_within_their_limits(
    seed: int, step: int, turn: float, size: tuple[int, int], min_side: int
) -> None:
    one = view_transform(seed, step, turn)

    assert one == view_transform(seed, step, turn)
    assert 0.9 <= one.scale <= 1.1
    assert -turn <= one.degrees <= turn
    # Both jitters, the first of them enlarged.
    assert max(abs(one.down), abs(one.right)) <= 4 * 1.1 + 2
    most = largest_view(size, min_side)
    for seen, side, largest in zip(one.size(size, min_side), size, most, strict=True):
        assert max(min_side, side * 0.9) <= seen <= largest


def test_views_differ_in_every_parameter() -> None:
    views = [view_transform(1, step, 10) for step in range(500)]

    assert len({one.scale for one in views}) == 11
    assert len({one.degrees for one in views}) == 21
    # Six of Lucid's 26 rotations are 0.
    assert 60 <= Counter(one.degrees for one in views)[0] <= 180
    assert abs(float(np.mean([one.down for one in views]))) < 0.5
    assert abs(float(np.mean([one.right for one in views]))) < 0.5
    assert [one.down for one in views] != [one.right for one in views]
    assert view_transform(2, 0, 10) != view_transform(1, 0, 10)
    assert max(one.degrees for one in views) == 10
    assert max(view_transform(1, step, 90).degrees for step in range(500)) == 90


def picture(height: int, width: int) -> torch.Tensor:
    """A seeded canvas."""
    return torch.from_numpy(np.random.default_rng(4).standard_normal((height, width, 3)))


def test_a_straight_view_is_the_picture_with_zeros_around_it() -> None:
    canvas = picture(20, 31)
    seen = sample_view(canvas, STRAIGHT, min_side=0)
    (top, left) = ((seen.shape[0] - 20) // 2, (seen.shape[1] - 31) // 2)

    assert top > 0 < left
    inside = seen[top : top + 20, left : left + 31]
    torch.testing.assert_close(inside, canvas)
    assert float(seen.abs().sum()) == pytest.approx(float(canvas.abs().sum()))


def test_views_of_small_pictures_have_more_zeros_around_them() -> None:
    assert sample_view(picture(3, 4), STRAIGHT, min_side=64).shape == (64, 64, 3)


def spot(row: int, column: int) -> torch.Tensor:
    """A dark canvas of 41 x 41 pixels with one light spot."""
    canvas = torch.zeros(41, 41, 3, dtype=torch.float64)
    canvas[row, column] = 1.0
    return canvas


@pytest.mark.parametrize(
    ("one", "where"),
    [
        (ViewTransform(1.0, 0, 3, -2), (3, 8)),
        (ViewTransform(1.1, 0, 0, 0), (0, 11)),
        (ViewTransform(1.0, 10, 0, 0), (1.74, 9.85)),
        (ViewTransform(1.0, -10, 0, 0), (-1.74, 9.85)),
    ],
)
def test_a_spot_moves_as_the_view_says(one: ViewTransform, where: tuple[float, float]) -> None:
    seen = sample_view(spot(20, 30), one, min_side=0)[..., 0]
    rows, columns = (
        torch.arange(side, dtype=torch.float64) - (side - 1) / 2 for side in seen.shape
    )
    total = seen.sum()

    assert float((seen.sum(1) * rows).sum() / total) == pytest.approx(where[0], abs=0.1)
    assert float((seen.sum(0) * columns).sum() / total) == pytest.approx(where[1], abs=0.1)


@given(SEEDS)
def test_the_gradient_of_a_view_is_right(seed: int) -> None:
    one = view_transform(seed, 0, 45)
    canvas = picture(7, 9).requires_grad_()

    assert torch.autograd.gradcheck(
        lambda given: sample_view(given, one, 12), canvas, fast_mode=True
    )
