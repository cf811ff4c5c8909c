"""The Fourier basis is real and orthonormal, and its spectrum falls as configured."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from render.fourier.parametrisation import FourierBasis

CPU = torch.device("cpu")
SIZES = st.tuples(st.integers(1, 40), st.integers(1, 40))


@given(SIZES, st.integers(0, 2**63 - 1))
def test_coefficients_of_a_seed_give_a_picture_of_the_size(
    size: tuple[int, int], seed: int
) -> None:
    basis = FourierBasis(size, 1.0, torch.float32, CPU)
    picture = basis.picture(basis.random_coefficients(seed))

    assert picture.shape == (*size, 3)
    assert picture.dtype == torch.float32
    assert bool(torch.isfinite(picture).all())
    assert torch.equal(basis.random_coefficients(seed), basis.random_coefficients(seed))


def test_other_seeds_give_other_coefficients() -> None:
    basis = FourierBasis((20, 30), 1.0, torch.float64, CPU)
    assert not torch.equal(basis.random_coefficients(1), basis.random_coefficients(2))


@pytest.mark.parametrize("size", [(31, 40), (32, 45)])
def test_one_coefficient_is_one_wave(size: tuple[int, int]) -> None:
    height, width = size
    basis = FourierBasis(size, 0.0, torch.float64, CPU)
    coefficients = torch.zeros_like(basis.random_coefficients(0))
    coefficients[1, 3, 5, 0] = 1.0
    picture = basis.picture(coefficients)

    rows = np.arange(height)[:, None] * 3 / height
    columns = np.arange(width) * 5 / width
    wave = np.cos(2 * math.pi * (rows + columns)) * 2 / math.sqrt(height * width) / 4
    np.testing.assert_allclose(picture[..., 1].numpy(), wave, atol=1e-12)
    assert not picture[..., [0, 2]].any()


@pytest.mark.parametrize("decay", [0.0, 1.0, 1.5])
def test_the_spectrum_falls_as_configured(decay: float) -> None:
    side = 256
    basis = FourierBasis((side, side), decay, torch.float64, CPU)
    spectrum = (
        torch.fft.rfft2(basis.picture(basis.random_coefficients(3)), dim=(0, 1)).abs().mean(dim=2)
    )
    frequency = torch.hypot(
        torch.fft.fftfreq(side, dtype=torch.float64)[:, None],
        torch.fft.rfftfreq(side, dtype=torch.float64),
    )

    def strength(of: float) -> float:
        near = (frequency > of * 0.8) & (frequency < of * 1.25)
        return float(spectrum[near].mean())

    falloff = math.log(strength(0.04) / strength(0.32)) / math.log(8)
    assert falloff == pytest.approx(decay, abs=0.1)
