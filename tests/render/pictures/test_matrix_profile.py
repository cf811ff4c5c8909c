"""Samples of 16 bits are converted exactly by curves and a matrix, others by LittleCMS."""

import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile

from render.pictures.colour_profile import srgb_profile
from render.pictures.matrix_profile import read_matrix_profile
from tests.render.pictures.test_colour_profile import PROFILES, expected_srgb
from tests.support.picture_files import GREY, GREY_GAMMA, read_samples, rgb_profile

LEVELS = np.arange(65536) / 65535


def samples(seed: int) -> np.ndarray:
    """Near-greys of 16 bits, all within sRGB, from black to white."""
    draw = np.random.default_rng(seed)
    grey = draw.integers(0, 65536, (40, 40, 1))
    picture: np.ndarray = (grey + draw.integers(-300, 300, (40, 40, 3))).clip(0, 65535)
    return picture.astype(np.uint16)


def write(path: Path, picture: np.ndarray, profile: bytes) -> Path:
    kind = "rgb" if picture.ndim == 3 else "minisblack"
    tifffile.imwrite(path, picture, photometric=kind, metadata=None, iccprofile=profile)
    return path


@pytest.mark.parametrize("wide", PROFILES)
def test_sixteen_bits_are_exact(tmp_path: Path, wide: str) -> None:
    picture = samples(1)
    seen = read_samples(write(tmp_path / "a.tif", picture, PROFILES[wide]))
    assert np.abs(seen - expected_srgb(picture, wide) * 65535).max() < 2


def test_grey_of_sixteen_bits_is_exact(tmp_path: Path) -> None:
    ramp = np.arange(0, 65536, 13, dtype=np.uint16)[None]
    light = (ramp / 65535) ** GREY_GAMMA
    encoded = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    seen = read_samples(write(tmp_path / "a.tif", ramp, GREY))
    assert np.abs(seen[..., 0] - encoded * 65535).max() < 2


def test_the_profile_of_outputs_changes_nothing() -> None:
    profile = read_matrix_profile(srgb_profile())
    assert profile is not None
    decoded = np.where(LEVELS <= 0.04045, LEVELS / 12.92, ((LEVELS + 0.055) / 1.055) ** 2.4)
    np.testing.assert_allclose(profile.curves[:, 1], decoded, atol=2e-5)


@pytest.mark.parametrize(
    ("parameters", "light"),
    [
        ((2.0,), LEVELS**2),
        ((2.0, 2.0, -0.5), np.maximum(2 * LEVELS - 0.5, 0) ** 2),
        ((2.0, 0.5, -0.125, 0.0), np.maximum(0.5 * LEVELS - 0.125, 0) ** 2),
        ((2.0, 1.0, 0.0, 0.5, 0.25), np.where(LEVELS >= 0.25, LEVELS**2, LEVELS / 2)),
        (
            (2.0, 0.5, 0.0, 0.5, 0.25, 0.125, 0.0),
            np.where(LEVELS >= 0.25, LEVELS**2 / 4 + 0.125, LEVELS / 2),
        ),
    ],
)
def test_curves_of_each_type(parameters: tuple[float, ...], light: np.ndarray) -> None:
    kind = (1, 3, 4, 5, 7).index(len(parameters))
    profile = read_matrix_profile(with_curve(parametric(kind, parameters)))
    assert profile is not None
    np.testing.assert_allclose(profile.curves[:, 0], np.clip(light, 0, 1), atol=1e-9)


def test_sampled_curves_are_interpolated() -> None:
    for points, light in (
        ((), LEVELS),
        ((512,), LEVELS**2),
        ((0, 0, 65535), np.maximum(2 * LEVELS - 1, 0)),
    ):
        profile = read_matrix_profile(with_curve(sampled(*points)))
        assert profile is not None
        np.testing.assert_allclose(profile.curves[:, 2], light, atol=1e-9)


@pytest.mark.parametrize(
    "profile",
    [
        b"",
        srgb_profile()[:140],
        srgb_profile().replace(b"rXYZ", b"A2B0"),
        srgb_profile().replace(b"rXYZ", b"none"),
        srgb_profile().replace(b"RGB XYZ ", b"RGB Lab "),
        srgb_profile().replace(b"RGB XYZ ", b"CMYKXYZ "),
    ],
    ids=["empty", "cut", "table", "no red", "of Lab", "of inks"],
)
def test_other_profiles_are_left_to_littlecms(profile: bytes) -> None:
    assert read_matrix_profile(profile) is None


@pytest.mark.parametrize(
    "curve",
    [
        struct.pack(">4s4xHH", b"para", 9, 0),
        struct.pack(">4s4xI", b"curv", 2**31),
        struct.pack(">4s4xI", b"text", 0),
        struct.pack(">4s4xI3H", b"curv", 3, 9000, 9000, 65535),
    ],
    ids=["unknown type", "too long", "no curve", "black is light"],
)
def test_curves_that_cannot_be_used(curve: bytes) -> None:
    assert read_matrix_profile(with_curve(curve)) is None


def test_a_curve_may_not_divide_by_zero() -> None:
    assert read_matrix_profile(with_curve(parametric(1, (2.0, 0.0, 0.5)))) is None


def parametric(kind: int, parameters: tuple[float, ...]) -> bytes:
    fixed = [round(value * 65536) for value in parameters]
    return struct.pack(f">4s4xHH{len(fixed)}i", b"para", kind, 0, *fixed)


def sampled(*points: int) -> bytes:
    return struct.pack(f">4s4xI{len(points)}H", b"curv", len(points), *points)


def with_curve(curve: bytes) -> bytes:
    """A profile of linear sRGB in which each channel has this curve."""
    plain = rgb_profile(np.diag([0.9, 1.0, 0.8]), (1.0,))
    (count,) = struct.unpack_from(">I", plain, 128)
    changed = bytearray(plain + curve)
    for at in range(132, 132 + 12 * count, 12):
        if changed[at + 1 : at + 4] == b"TRC":
            struct.pack_into(">II", changed, at + 4, len(plain), len(curve))
    return bytes(changed)
