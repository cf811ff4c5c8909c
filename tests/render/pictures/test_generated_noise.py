"""Seeded noise: the same picture in any bands, with contrast at every scale."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from render.pictures.generated import Noise, noise_size


def whole(noise: Noise, rows: int = 64) -> np.ndarray:
    return np.concatenate(list(noise.bands(rows)))


@given(st.integers(1, 70), st.integers(1, 70), st.integers(0, 2**63 - 1), st.integers(1, 80))
def test_bands_show_one_picture(height: int, width: int, seed: int, rows: int) -> None:
    noise = Noise(height, width, seed)
    bands = list(noise.bands(rows))

    assert all(band.shape[1:] == (width, 3) and len(band) <= rows for band in bands)
    assert bands[0].dtype == np.uint16
    np.testing.assert_array_equal(np.concatenate(bands), whole(noise, height))


@given(st.integers(1, 40), st.integers(1, 40))
def test_a_larger_picture_begins_with_the_smaller_one(height: int, width: int) -> None:
    large = whole(Noise(50, 60, seed=1))
    np.testing.assert_array_equal(whole(Noise(height, width, seed=1)), large[:height, :width])


def test_seeds_and_channels_differ() -> None:
    first, second = whole(Noise(64, 64, seed=1)), whole(Noise(64, 64, seed=2))

    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.5
    assert not np.array_equal(first[..., 0], first[..., 1])


def test_every_scale_has_contrast() -> None:
    values = whole(Noise(512, 512, seed=3)).astype(float) / 65535
    assert 0.3 < values.mean() < 0.6
    for size in (1, 8, 64):
        means = values.reshape(512 // size, size, 512 // size, size, 3).mean((1, 3))
        assert means.std() > 0.02


def test_noise_values_are_stable() -> None:
    """A change of these values needs a new PIXEL_VERSION."""
    assert whole(Noise(2, 2, seed=7)).tolist() == [
        [[64713, 3922, 39525], [56076, 5138, 46106]],
        [[62002, 11152, 45728], [51957, 17726, 46936]],
    ]


def test_the_size_of_noise_follows_from_the_shape_alone() -> None:
    assert noise_size((20, 30)) == noise_size((4000, 6000)) == (512, 768)
    assert noise_size((1, 100_000)) == (1, 4096)
