"""Smoothing splits gradients into bands, and is right up to the borders of the picture."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from render.dream.band_gradient import split_bands
from render.dream.config import Smooth
from render.geometry.rect import Rect
from tests.support.seeded_networks import noise_picture

PYRAMID = Smooth(laplacian=(1.0, 1.0, 1.0, 1.0))
SIZES = st.tuples(st.integers(1, 40), st.integers(1, 40))


def whole(values: torch.Tensor, smooth: Smooth) -> list[torch.Tensor]:
    size = (values.shape[0], values.shape[1])
    everything = Rect(0, 0, *size)
    return split_bands(values, everything, everything, size, smooth)


@given(SIZES, st.integers(2, 6), st.integers(0, 2**31))
def test_bands_add_up_to_the_gradient(size: tuple[int, int], count: int, seed: int) -> None:
    values = noise_picture(size, seed)
    found = whole(values, Smooth(laplacian=(1.0,) * count))
    assert len(found) == count
    assert torch.allclose(torch.stack(found).sum(0), values, atol=1e-12)


@given(
    SIZES,
    st.sampled_from([Smooth(gaussian=(0.5,)), Smooth(gaussian=(1.0, 2.0, 9.0)), PYRAMID]),
)
def test_a_constant_stays_constant_up_to_the_borders(size: tuple[int, int], smooth: Smooth) -> None:
    values = torch.full((*size, 3), 2.5, dtype=torch.float64)
    *fine, coarse = whole(values, smooth)
    assert torch.allclose(coarse, values, atol=1e-12)
    assert all(float(band.abs().max()) < 1e-12 for band in fine)


def test_a_gaussian_has_its_standard_deviation() -> None:
    values = torch.zeros(81, 81, 3, dtype=torch.float64)
    values[40, 40] = 1
    (found,) = whole(values, Smooth(gaussian=(4.0,)))
    places = torch.arange(81, dtype=torch.float64) - 40
    down = found[..., 0].sum(1)
    assert float(down.sum()) == pytest.approx(1)
    assert float((down * places**2).sum()) ** 0.5 == pytest.approx(4, rel=0.02)
    assert torch.allclose(found, found.transpose(0, 1), atol=1e-15)


def test_bands_go_from_fine_to_coarse() -> None:
    """The waves of each band are about twice as long as those of the band before."""
    found = whole(noise_picture((128, 128)), PYRAMID)
    wavelengths = []
    for band in found:
        spectrum = torch.fft.rfft2(band[..., 0]).abs() ** 2
        down = torch.fft.fftfreq(128, dtype=torch.float64)[:, None]
        across = torch.fft.rfftfreq(128, dtype=torch.float64)[None]
        wavelengths.append(1 / float((spectrum * torch.hypot(down, across)).sum() / spectrum.sum()))
    ratios = [after / before for before, after in pairwise(wavelengths)]
    assert all(1.5 < ratio < 2.8 for ratio in ratios)


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"gaussian": (1.0,), "laplacian": (1.0, 1.0)},
        {"gaussian": ()},
        {"gaussian": (0.1,)},
        {"gaussian": (65.0,)},
        {"laplacian": (1.0,)},
        {"laplacian": (0.0, 0.0)},
        {"laplacian": (1.0, -1.0)},
        {"laplacian": (1.0,) * 8},
    ],
)
def test_invalid_smoothing_is_refused(bad: dict[str, tuple[float, ...]]) -> None:
    with pytest.raises(ValueError, match=r"gaussian|laplacian"):
        Smooth(**bad)


def test_the_squares_of_band_factors_add_up_to_1() -> None:
    assert Smooth(laplacian=(3.0, 4.0)).band_factors == pytest.approx((0.6, 0.8))
    assert Smooth(gaussian=(2.0,)).band_factors == (1.0,)
