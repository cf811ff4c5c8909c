"""PNGs whose colours are stated by numbers come out as sRGB, or are refused."""

import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from render.errors import PictureError
from render.pictures.decode import open_mask, open_picture
from tests.support.picture_files import read_samples
from tests.support.png_files import Chunk, write_png

D65, D50 = (0.3127, 0.3290), (0.3457, 0.3585)
SRGB = (*D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
P3 = (*D65, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)
BT2020 = (*D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046)
ADOBE = (*D65, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)

GAMMA_22, LINEAR = struct.pack(">I", 45455), struct.pack(">I", 100000)


def to_xyz(chromaticities: tuple[float, ...]) -> np.ndarray:
    """The matrix from light of these primaries to XYZ (Lindbloom, RGB/XYZ matrices)."""
    (white, *primaries) = np.array(chromaticities).reshape(4, 2)
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in primaries]).T
    target = np.array([white[0] / white[1], 1, (1 - white.sum()) / white[1]])
    matrix: np.ndarray = columns * np.linalg.solve(columns, target)
    return matrix


def decoded(values: np.ndarray) -> np.ndarray:
    light: np.ndarray = np.where(
        values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4
    )
    return light


def encoded(light: np.ndarray) -> np.ndarray:
    values: np.ndarray = np.where(
        light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055
    )
    return values


def srgb_colours() -> np.ndarray:
    """Random sRGB values from 0 to 1, (20, 30, 3)."""
    colours: np.ndarray = np.random.default_rng(3).uniform(0, 1, (20, 30, 3))
    return colours


def light_in(chromaticities: tuple[float, ...]) -> np.ndarray:
    """The light of `srgb_colours` by other primaries with the same white."""
    change = np.linalg.inv(to_xyz(chromaticities)) @ to_xyz(SRGB)
    light: np.ndarray = np.clip(decoded(srgb_colours()) @ change.T, 0, 1)
    return light


def samples(values: np.ndarray) -> np.ndarray:
    levels: np.ndarray = np.rint(values * 65535)
    return levels.astype(np.uint16)


def chrm(chromaticities: tuple[float, ...]) -> Chunk:
    return b"cHRM", struct.pack(">8I", *(round(value * 100000) for value in chromaticities))


def iccp(profile: bytes) -> Chunk:
    return b"iCCP", b"any\0\0" + zlib.compress(profile)


CONVERTED: dict[str, tuple[np.ndarray, tuple[Chunk, ...]]] = {
    "Display P3": (encoded(light_in(P3)), ((b"cICP", b"\x0c\x0d\0\1"),)),
    "BT.2020": (encoded(light_in(BT2020)), ((b"cICP", b"\x09\x0d\0\1"),)),
    "linear BT.2020": (light_in(BT2020), ((b"cICP", b"\x09\x08\0\1"),)),
    "gamma 2.2": (light_in(SRGB) ** (1 / 2.2), ((b"cICP", b"\1\4\0\1"),)),
    "sRGB": (srgb_colours(), ((b"cICP", b"\1\x0d\0\1"), (b"gAMA", LINEAR))),
    "unspecified": (srgb_colours(), ((b"cICP", b"\2\2\0\1"),)),
    "cICP before sRGB": (encoded(light_in(P3)), ((b"cICP", b"\x0c\x0d\0\1"), (b"sRGB", b"\0"))),
    "linear": (light_in(SRGB), ((b"gAMA", LINEAR),)),
    "gamma 1.8": (light_in(SRGB) ** (1 / 1.8), ((b"gAMA", struct.pack(">I", 55556)),)),
    "the usual gamma": (srgb_colours(), ((b"gAMA", GAMMA_22), chrm(SRGB))),
    "sRGB before gAMA": (srgb_colours(), ((b"gAMA", LINEAR), chrm(P3), (b"sRGB", b"\0"))),
    "cHRM alone": (encoded(light_in(ADOBE)), (chrm(ADOBE),)),
    "cHRM and gAMA": (light_in(BT2020), (chrm(BT2020), (b"gAMA", LINEAR))),
}


@pytest.mark.parametrize("name", CONVERTED)
def test_stated_colours_become_srgb(tmp_path: Path, name: str) -> None:
    values, chunks = CONVERTED[name]
    path = write_png(tmp_path / "a.png", samples(values), *chunks)
    levels = read_samples(path) / 257
    assert np.abs(levels - srgb_colours() * 255).max() < 0.1


def test_white_stays_white_whatever_the_white_point(tmp_path: Path) -> None:
    white = np.full((3, 4, 3), 65535, np.uint16)
    path = write_png(tmp_path / "a.png", white, chrm((*D50, *SRGB[2:])))
    assert read_samples(path).min() >= 65535 - 20


@pytest.mark.parametrize("alpha", [False, True])
def test_grey_has_a_gamma_too(tmp_path: Path, alpha: bool) -> None:
    grey = srgb_colours()[..., 0]
    light = samples(decoded(grey))
    opaque = np.full_like(light, 65535)
    stored = np.stack([light, opaque], axis=-1) if alpha else light
    path = write_png(tmp_path / "a.png", stored, (b"gAMA", LINEAR), chrm(P3))
    expected = np.repeat(grey[..., None], 3, axis=-1) * 255
    assert np.abs(read_samples(path) / 257 - expected).max() < 0.1


def test_eight_bits_stay_eight(tmp_path: Path) -> None:
    stored = np.rint(encoded(light_in(P3)) * 255).astype(np.uint8)
    path = write_png(tmp_path / "a.png", stored, (b"cICP", b"\x0c\x0d\0\1"))
    assert open_picture(path).depth == 8
    expected = encoded(np.clip(decoded(stored / 255) @ np.linalg.inv(to_change(P3)).T, 0, 1))
    assert np.abs(read_samples(path) - expected * 255).max() < 0.6


def to_change(chromaticities: tuple[float, ...]) -> np.ndarray:
    change: np.ndarray = np.linalg.inv(to_xyz(chromaticities)) @ to_xyz(SRGB)
    return change


def test_cicp_counts_before_a_profile_and_a_profile_before_gamma(tmp_path: Path) -> None:
    from render.pictures.vips import libvips

    p3 = libvips().Operation.call("profile_load", "p3")
    stored = samples(srgb_colours())
    plain = read_samples(write_png(tmp_path / "plain.png", stored))
    by_profile = read_samples(write_png(tmp_path / "p3.png", stored, iccp(p3)))
    assert np.abs(plain.astype(int) - by_profile).max() > 1000

    path = write_png(tmp_path / "cicp.png", stored, (b"cICP", b"\1\x0d\0\1"), iccp(p3))
    np.testing.assert_array_equal(read_samples(path), plain)
    path = write_png(tmp_path / "gama.png", stored, (b"gAMA", LINEAR), iccp(p3))
    np.testing.assert_array_equal(read_samples(path), by_profile)


@pytest.mark.parametrize(
    ("chunk", "words"),
    [
        ((b"cICP", b"\x09\x10\0\1"), "has HDR (PQ) colours that cannot be converted (cICP 9 16 0"),
        ((b"cICP", b"\x09\x12\0\1"), "has HDR (HLG) colours that cannot be converted (cICP 9 18"),
        ((b"cICP", b"\1\1\0\0"), "has colours that cannot be converted (cICP 1 1 0 0)"),
        ((b"cICP", b"\x0c\x0d\0\0"), "has colours that cannot be converted (cICP 12 13 0 0)"),
        ((b"cICP", b"\x0a\x0d\0\1"), "has colours that cannot be converted (cICP 10 13 0 1)"),
        ((b"cICP", b"\x0c"), "has colours that cannot be converted (cICP 12)"),
        ((b"cICP", b""), "has colours that cannot be converted"),
        ((b"gAMA", struct.pack(">I", 9999)), "its gAMA chunk states 9999: export it as sRGB"),
    ],
)
def test_other_colours_are_refused(tmp_path: Path, chunk: Chunk, words: str) -> None:
    path = write_png(tmp_path / "a.png", samples(srgb_colours()), chunk)
    with pytest.raises(PictureError, match=re.escape(words)):
        open_picture(path)


@pytest.mark.parametrize(
    "chunk",
    [
        (b"gAMA", bytes(4)),
        (b"gAMA", b""),
        (b"cHRM", bytes(32)),
        (b"cHRM", bytes(3)),
        chrm((*D65, *SRGB[2:4], *SRGB[2:4], *SRGB[2:4])),
        chrm((0.9, 0.05, *SRGB[2:])),
    ],
)
def test_chunks_that_libpng_ignores_are_ignored(tmp_path: Path, chunk: Chunk) -> None:
    stored = samples(srgb_colours())
    path = write_png(tmp_path / "a.png", stored, chunk)
    np.testing.assert_array_equal(read_samples(path), stored)


def test_an_invalid_chunk_leaves_the_other_valid(tmp_path: Path) -> None:
    chunks = (b"gAMA", LINEAR), (b"cHRM", bytes(32))
    path = write_png(tmp_path / "a.png", samples(light_in(SRGB)), *chunks)
    assert np.abs(read_samples(path) / 257 - srgb_colours() * 255).max() < 0.1


@pytest.mark.parametrize("transfer", [1, 6, 14, 15])
def test_the_transfer_of_video_counts_as_that_of_srgb(tmp_path: Path, transfer: int) -> None:
    stored = samples(srgb_colours())
    path = write_png(tmp_path / "a.png", stored, (b"cICP", bytes([1, transfer, 0, 1])))
    np.testing.assert_array_equal(read_samples(path), stored)


def test_a_mask_is_black_where_it_is_transparent(tmp_path: Path) -> None:
    painted = np.zeros((4, 6, 4), np.uint8)
    painted[:, :3] = 255
    painted[:, 2, 3] = 128
    path = write_png(tmp_path / "a.png", painted)
    (mask,) = open_mask(path).bands(4)
    np.testing.assert_array_equal(mask[0, :, 0], [255, 255, 128, 0, 0, 0])
    np.testing.assert_array_equal(read_samples(path)[0, :, 0], [255] * 6)
