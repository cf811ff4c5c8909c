"""Samples convert to the canvas and back without loss."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from render.pictures.colour import BLACK, MEAN, STD, WHITE, to_canvas, to_samples


def _every_value(depth: int) -> np.ndarray:
    """Each value of the depth, once in every channel."""
    ramp = np.arange(2**depth, dtype=np.uint8 if depth == 8 else np.uint16)
    return np.stack([ramp, ramp[::-1], np.roll(ramp, 7)], axis=-1)[None]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("depth", [8, 16])
def test_every_sample_survives_the_canvas(depth: int, dtype: torch.dtype) -> None:
    samples = _every_value(depth)
    canvas = to_canvas(samples, dtype)
    assert canvas.dtype == dtype
    assert canvas.shape == samples.shape
    back = to_samples(canvas, depth)
    assert back.dtype == samples.dtype
    np.testing.assert_array_equal(back, samples)


@pytest.mark.parametrize("depth", [8, 16])
def test_black_and_white_are_the_ends(depth: int) -> None:
    ends = np.array([[[0] * 3, [2**depth - 1] * 3]], np.uint8 if depth == 8 else np.uint16)
    canvas = to_canvas(ends, torch.float64)
    assert canvas[0, 0].tolist() == list(BLACK)
    assert canvas[0, 1].tolist() == pytest.approx(list(WHITE), rel=1e-15)


def test_the_mean_colour_is_zero() -> None:
    grey = torch.zeros(1, 1, 3, dtype=torch.float64)
    expected = np.rint(np.array(MEAN) * 65535)
    np.testing.assert_array_equal(to_samples(grey, 16)[0, 0], expected)


@given(st.floats(-1e6, 1e6), st.sampled_from([8, 16]))
def test_beyond_black_and_white_is_clamped(value: float, depth: int) -> None:
    samples = to_samples(torch.full((1, 1, 3), value, dtype=torch.float64), depth)[0, 0]
    exact = (np.clip(value * np.array(STD) + np.array(MEAN), 0, 1)) * (2**depth - 1)
    assert np.all(np.abs(samples - exact) <= 0.5 + 1e-9)


@pytest.mark.parametrize(("depth", "even"), [(8, 128), (16, 32768)])
def test_halves_round_to_even(depth: int, even: int) -> None:
    # 127.5 and 32767.5 are the only halves that float64 represents exactly.
    half = (np.full(3, 0.5) - MEAN) / STD
    exact = half * STD + MEAN == 0.5
    assert exact.any()
    samples = to_samples(torch.from_numpy(half[None, None]), depth)[0, 0]
    assert set(samples[exact].tolist()) == {even}


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_other_samples_are_refused(dtype: type) -> None:
    with pytest.raises(ValueError, match="uint8 or uint16"):
        to_canvas(np.zeros((1, 1, 3), dtype), torch.float32)


def test_other_depths_are_refused() -> None:
    with pytest.raises(ValueError, match="8 or 16"):
        to_samples(torch.zeros(1, 1, 3), 12)
