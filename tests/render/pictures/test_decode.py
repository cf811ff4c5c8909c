"""Pictures of all formats decode to upright, opaque sRGB."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from render.pictures import decode
from render.pictures.decode import open_picture
from tests.support.picture_files import gradient_samples, noise_samples, read_samples

LOSSLESS: dict[str, dict[str, Any]] = {
    "plain.png": {},
    "plain.tif": {},
    "deflate.tif": {"compression": "tiff_adobe_deflate"},
    "lzw.tif": {"compression": "tiff_lzw"},
    "plain.webp": {"lossless": True},
    "PICTURE.WITHOUT.A.TRUE.SUFFIX": {"format": "png"},
    "späte Wolken.png": {},
}


@pytest.mark.parametrize("name", LOSSLESS)
def test_lossless_files_come_back(tmp_path: Path, name: str) -> None:
    picture = noise_samples(50, 70)
    Image.fromarray(picture).save(tmp_path / name, **LOSSLESS[name])
    np.testing.assert_array_equal(read_samples(tmp_path / name), picture)


@pytest.mark.parametrize("options", [{}, {"progressive": True}], ids=["baseline", "progressive"])
def test_jpegs_come_back_nearly(tmp_path: Path, options: dict[str, Any]) -> None:
    picture = gradient_samples(60, 90)
    Image.fromarray(picture).save(tmp_path / "a.jpg", quality=95, subsampling=0, **options)
    error = np.abs(read_samples(tmp_path / "a.jpg").astype(int) - picture)
    assert error.mean() < 1.5


def test_interlaced_files_come_back(tmp_path: Path) -> None:
    # Pillow cannot write them.
    pyvips.Image.new_from_array(noise_samples(50, 70)).pngsave(
        str(tmp_path / "a.png"), interlace=True
    )
    np.testing.assert_array_equal(read_samples(tmp_path / "a.png"), noise_samples(50, 70))


def test_names_that_are_not_utf8_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "w\udce4lder.png"
    try:
        Image.fromarray(noise_samples(5, 5)).save(path)
    except (OSError, UnicodeEncodeError):
        pytest.skip("this file system takes UTF-8 names only")
    np.testing.assert_array_equal(read_samples(path), noise_samples(5, 5))


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_sixteen_bits_stay_sixteen(tmp_path: Path, name: str) -> None:
    picture = noise_samples(40, 30, depth=16)
    if name == "a.tif":
        tifffile.imwrite(tmp_path / name, picture, photometric="rgb")
    else:
        # Pillow writes 16 bits for grey only.
        picture = np.repeat(picture[..., :1], 3, axis=2)
        Image.fromarray(picture[..., 0]).save(tmp_path / name)
    opened = open_picture(tmp_path / name)
    assert opened.depth == 16
    np.testing.assert_array_equal(read_samples(tmp_path / name), picture)


def test_grey_palette_and_one_bit_become_rgb(tmp_path: Path) -> None:
    grey = noise_samples(20, 30)[..., 0]
    Image.fromarray(grey).save(tmp_path / "grey.png")
    np.testing.assert_array_equal(
        read_samples(tmp_path / "grey.png"), np.stack([grey] * 3, axis=-1)
    )

    palette = Image.fromarray(noise_samples(20, 30)).quantize(3)
    palette.save(tmp_path / "palette.png", bits=2)
    np.testing.assert_array_equal(
        read_samples(tmp_path / "palette.png"), np.array(palette.convert("RGB"))
    )

    bits = Image.fromarray(grey > 127)
    for name in ("bits.png", "bits.tif"):
        bits.save(tmp_path / name)
        np.testing.assert_array_equal(read_samples(tmp_path / name), np.array(bits.convert("RGB")))


@pytest.mark.parametrize("depth", [8, 16])
def test_transparency_is_composited_on_white(tmp_path: Path, depth: int) -> None:
    top = 2**depth - 1
    colours = np.array([[[top, 0, 0, top], [top, 0, 0, 0], [0, 0, top, top // 3]]])
    path = tmp_path / "alpha.tif"
    tifffile.imwrite(
        path,
        colours.astype(np.uint8 if depth == 8 else np.uint16),
        photometric="rgb",
        extrasamples=["unassalpha"],
    )
    third = top - top // 3
    expected = [[top, 0, 0], [top, top, top], [third, third, top]]
    np.testing.assert_allclose(read_samples(path)[0], expected, atol=1)


def test_transparent_grey_is_composited_on_white(tmp_path: Path) -> None:
    Image.fromarray(np.array([[[0, 255], [0, 0], [80, 0]]], np.uint8), "LA").save(
        tmp_path / "a.png"
    )
    np.testing.assert_array_equal(read_samples(tmp_path / "a.png")[0, :, 0], [0, 255, 255])


TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.transpose(1, 0, 2),
    6: lambda p: np.rot90(p, -1),
    7: lambda p: p[::-1, ::-1].transpose(1, 0, 2),
    8: np.rot90,
}


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("suffix", ["png", "tif", "webp", "jpg"])
def test_orientation_is_applied(tmp_path: Path, suffix: str, orientation: int) -> None:
    stored = gradient_samples(24, 40)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options: dict[str, dict[str, Any]] = {
        "webp": {"lossless": True},
        "jpg": {"quality": 100, "subsampling": 0},
    }
    path = tmp_path / f"turned.{suffix}"
    Image.fromarray(stored).save(path, exif=exif, **options.get(suffix, {}))
    upright = TURNS[orientation](stored).astype(int)
    opened = open_picture(path)
    assert (opened.height, opened.width) == upright.shape[:2]
    assert np.abs(read_samples(path, rows=7) - upright).max() <= (6 if suffix == "jpg" else 0)


def test_large_rotated_pictures_use_a_temporary_file(tmp_path: Path) -> None:
    # 108 MB of samples: above libvips' threshold for a temporary file on disk.
    path = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    rows = np.linspace(0, 255, 6000).astype(np.uint8)
    Image.fromarray(np.repeat(rows[:, None], 6000, axis=1)).convert("RGB").save(path, exif=exif)
    first = next(open_picture(path).bands(8))
    assert abs(first[0].mean(axis=-1) - rows[::-1]).max() <= 2


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(height=st.integers(1, 40), width=st.integers(1, 40), rows=st.integers(1, 50))
def test_bands_make_up_the_picture(tmp_path: Path, height: int, width: int, rows: int) -> None:
    picture = noise_samples(height, width)
    Image.fromarray(picture).save(tmp_path / "a.png")
    bands = list(open_picture(tmp_path / "a.png").bands(rows))
    assert all(1 <= len(band) <= rows for band in bands)
    np.testing.assert_array_equal(np.concatenate(bands), picture)


def test_piece_size_does_not_change_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = noise_samples(50, 20)
    Image.fromarray(picture).save(tmp_path / "a.png")
    monkeypatch.setattr(decode, "_PIECE_PIXELS", 60)
    np.testing.assert_array_equal(read_samples(tmp_path / "a.png", rows=16), picture)


def test_a_picture_can_be_read_again(tmp_path: Path) -> None:
    Image.fromarray(noise_samples(50, 20)).save(tmp_path / "a.png")
    opened = open_picture(tmp_path / "a.png")
    next(opened.bands(3))
    np.testing.assert_array_equal(np.concatenate(list(opened.bands(9))), noise_samples(50, 20))


def test_the_first_page_is_read(tmp_path: Path) -> None:
    first, second = Image.fromarray(noise_samples(9, 8)), Image.fromarray(gradient_samples(9, 8))
    first.save(tmp_path / "a.tif", save_all=True, append_images=[second])
    np.testing.assert_array_equal(read_samples(tmp_path / "a.tif"), noise_samples(9, 8))


def test_a_band_needs_a_row(tmp_path: Path) -> None:
    Image.fromarray(noise_samples(5, 5)).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match="at least 1 row"):
        next(open_picture(tmp_path / "a.png").bands(0))
