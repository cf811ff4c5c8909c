"""Colours of wide-gamut, grey and CMYK pictures, compared with published values."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from render.pictures.colour_profile import srgb_profile
from render.pictures.decode import open_picture
from tests.support.picture_files import GREY, GREY_GAMMA, noise_samples, read_samples, rgb_profile

WHITE_D65 = (0.3127, 0.3290)
ADOBE_RGB = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
"""Primaries (x, y) of Adobe RGB (1998), 4.3.1.1; its curve is a power of 563/256."""
DISPLAY_P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
"""Primaries (x, y) of SMPTE EG 432-1, with the sRGB curve."""
SRGB = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
"""Primaries (x, y) of IEC 61966-2-1."""

ADOBE_GAMMA = 563 / 256


def _to_xyz(primaries: tuple[tuple[float, float], ...]) -> np.ndarray:
    """The matrix from linear RGB to XYZ that maps (1, 1, 1) to D65 (SMPTE RP 177)."""
    columns = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in primaries]).T
    x, y = WHITE_D65
    scale = np.linalg.solve(columns, [x / y, 1.0, (1 - x - y) / y])
    return columns * scale


def _srgb_linear(encoded: np.ndarray) -> np.ndarray:
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def _srgb_encoded(linear: np.ndarray) -> np.ndarray:
    power = 1.055 * np.maximum(linear, 0.0031308) ** (1 / 2.4) - 0.055
    return np.where(linear <= 0.0031308, linear * 12.92, power)


def expected_srgb(picture: np.ndarray, wide: str) -> np.ndarray:
    """The sRGB values in [0, 1] of an Adobe RGB or Display P3 picture of 8 or 16 bits."""
    encoded = picture / np.iinfo(picture.dtype).max
    linear = encoded**ADOBE_GAMMA if wide == "adobe" else _srgb_linear(encoded)
    primaries = ADOBE_RGB if wide == "adobe" else DISPLAY_P3
    matrix = np.linalg.inv(_to_xyz(SRGB)) @ _to_xyz(primaries)
    return _srgb_encoded(np.clip(linear @ matrix.T, 0, 1))


PROFILES = {
    "adobe": rgb_profile(_to_xyz(ADOBE_RGB), (ADOBE_GAMMA,)),
    "p3": rgb_profile(_to_xyz(DISPLAY_P3), (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)),
}


@pytest.mark.parametrize("wide", PROFILES)
@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif"])
def test_wide_gamut_comes_out_in_srgb(tmp_path: Path, suffix: str, wide: str) -> None:
    # Flat colours of 16 x 16, so that JPEG keeps them; all of them lie within sRGB.
    colours = np.array(
        [[200, 100, 50], [90, 160, 120], [60, 80, 150], [128] * 3, [255] * 3, [0] * 3]
    )
    picture = colours.astype(np.uint8)[None].repeat(16, axis=0).repeat(16, axis=1)
    options: dict[str, dict[str, Any]] = {
        "jpg": {"quality": 100, "subsampling": 0},
        "webp": {"lossless": True},
    }
    path = tmp_path / f"wide.{suffix}"
    Image.fromarray(picture).save(path, icc_profile=PROFILES[wide], **options.get(suffix, {}))
    expected = expected_srgb(picture, wide) * 255
    assert np.abs(expected - picture).max() > 5, "the profile makes a difference"
    assert np.abs(read_samples(path) - expected).max() <= (3 if suffix == "jpg" else 1)


@pytest.mark.parametrize("wide", PROFILES)
def test_colours_beyond_srgb_are_clipped(tmp_path: Path, wide: str) -> None:
    picture = np.array([[[0, 255, 0]]], np.uint8)
    Image.fromarray(picture).save(tmp_path / "a.png", icc_profile=PROFILES[wide])
    np.testing.assert_array_equal(read_samples(tmp_path / "a.png"), [[[0, 255, 0]]])


@pytest.mark.parametrize("wide", PROFILES)
def test_wide_gamut_of_sixteen_bits_keeps_its_fineness(tmp_path: Path, wide: str) -> None:
    rng = np.random.default_rng(3)
    picture = (30_000 + rng.integers(0, 8_000, (32, 32, 3))).astype(np.uint16)
    path = tmp_path / "wide.tif"
    tag = (34675, "B", len(PROFILES[wide]), PROFILES[wide], True)
    tifffile.imwrite(path, picture, photometric="rgb", extratags=[tag])
    assert open_picture(path).depth == 16
    assert (
        np.abs(read_samples(path) - expected_srgb(picture, wide) * 65535).max() <= 33
    )  # an eighth of 1/255


def test_other_srgb_profiles_change_nothing(tmp_path: Path) -> None:
    theirs = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert theirs != srgb_profile()
    Image.fromarray(noise_samples(64, 64)).save(tmp_path / "a.png", icc_profile=theirs)
    np.testing.assert_array_equal(read_samples(tmp_path / "a.png"), noise_samples(64, 64))


def test_grey_profiles_are_applied(tmp_path: Path) -> None:
    ramp = np.arange(256, dtype=np.uint8)[None]
    Image.fromarray(ramp).save(tmp_path / "a.png", icc_profile=GREY)
    expected = np.repeat(_srgb_encoded((ramp / 255) ** GREY_GAMMA)[..., None] * 255, 3, axis=-1)
    assert np.abs(expected[..., 0] - ramp).max() > 10, "the profile makes a difference"
    assert np.abs(read_samples(tmp_path / "a.png") - expected).max() <= 2


@pytest.mark.parametrize(
    "profile",
    [GREY, b"no profile at all", PROFILES["p3"][:200]],
    ids=["of another kind", "garbage", "truncated"],
)
def test_profiles_that_do_not_fit_are_ignored(tmp_path: Path, profile: bytes) -> None:
    Image.fromarray(noise_samples(8, 8)).save(tmp_path / "a.png", icc_profile=profile)
    np.testing.assert_array_equal(read_samples(tmp_path / "a.png"), noise_samples(8, 8))


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_cmyk_without_a_profile_looks_right(tmp_path: Path, suffix: str) -> None:
    inks = {
        "paper": ((0, 0, 0, 0), (255, 255, 255)),
        "cyan": ((255, 0, 0, 0), (0, 160, 220)),
        "magenta": ((0, 255, 0, 0), (225, 0, 125)),
        "yellow": ((0, 0, 255, 0), (255, 235, 0)),
        "black": ((255, 255, 255, 255), (0, 0, 0)),
    }
    cmyk = np.array([ink for ink, _ in inks.values()], np.uint8)[None]
    picture = Image.fromarray(cmyk.repeat(16, axis=0).repeat(16, axis=1), "CMYK")
    options: dict[str, Any] = {"quality": 100} if suffix == "jpg" else {}
    picture.save(tmp_path / f"a.{suffix}", **options)
    seen = read_samples(tmp_path / f"a.{suffix}")[8, 8::16].astype(int)
    for (name, (_, about)), colour in zip(inks.items(), seen, strict=True):
        assert np.abs(colour - about).max() <= 30, f"{name} is {colour}"


@pytest.mark.parametrize("suffix", ["jpg", "webp"])
def test_adobe_rgb_that_a_camera_states_in_exif(tmp_path: Path, suffix: str) -> None:
    picture = np.full((16, 16, 3), [60, 180, 90], np.uint8)
    path = tmp_path / f"a.{suffix}"
    options: dict[str, Any] = {
        "jpg": {"quality": 100, "subsampling": 0},
        "webp": {"lossless": True},
    }
    for index, expected in (("R98", picture / 255), ("R03", expected_srgb(picture, "adobe"))):
        exif = interoperability(index)
        Image.fromarray(picture).save(path, exif=exif, **options[suffix])
        assert np.abs(read_samples(path) - expected * 255).max() <= 2
    Image.fromarray(picture).save(path, exif=exif, icc_profile=srgb_profile(), **options[suffix])
    assert np.abs(read_samples(path).astype(int) - picture).max() <= 2, "a profile counts first"


def interoperability(index: str) -> bytes:
    """EXIF with an interoperability index, as cameras write it (DCF 2.0)."""
    main = struct.pack("<HHHIII", 1, 0x8769, 4, 1, 26, 0)
    camera = struct.pack("<HHHIHHHHIII", 2, 0xA001, 3, 1, 0xFFFF, 0, 0xA005, 4, 1, 56, 0)
    last = struct.pack("<HHHI4sI", 1, 1, 2, 4, index.encode() + b"\0", 0)
    return b"Exif\0\0II*\0\x08\0\0\0" + main + camera + last
