"""HEIC and AVIF are read upright and in right colours, or refused for what they are."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from render.errors import PictureError
from render.pictures import decode, heif
from render.pictures.decode import open_picture
from render.pictures.vips import libvips
from tests.render.pictures.test_decode import TURNS
from tests.support.picture_files import gradient_samples, noise_samples, read_samples
from tests.support.png_files import write_png


@pytest.fixture(params=["a.heic", "a.avif"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / str(request.param)


def save(path: Path, samples: np.ndarray, **options: Any) -> Path:
    image = Image.fromarray(samples)
    if path.suffix == ".avif":
        image.save(path, quality=95, subsampling="4:4:4", **options)
    else:
        pillow_heif.from_pillow(image).save(path, quality=95, chroma=444, **options)
    return path


def test_colours_come_back_nearly(path: Path) -> None:
    samples = gradient_samples(40, 64)
    opened = open_picture(save(path, samples))
    assert (opened.height, opened.width, opened.depth) == (40, 64, 8)
    assert np.abs(read_samples(path, rows=7).astype(int) - samples).mean() < 2


def test_transparency_is_composited_on_white(path: Path) -> None:
    samples = np.full((16, 16, 4), [200, 40, 80, 255], np.uint8)
    samples[8:, :, 3] = 0
    seen = read_samples(save(path, samples)).astype(int)
    assert np.abs(seen[:7] - [200, 40, 80]).max() <= 6
    assert (seen[9:] >= 252).all()


def test_ten_bits_reach_full_white(tmp_path: Path) -> None:
    samples = np.full((16, 16, 3), 65535, np.uint16)
    samples[:8] = 0
    image = pillow_heif.from_bytes("RGB;16", (16, 16), samples.tobytes())
    image.save(tmp_path / "a.heic", quality=-1, chroma=444)
    assert open_picture(tmp_path / "a.heic").depth == 16
    seen = read_samples(tmp_path / "a.heic")
    assert (seen[:8] < 100).all()
    assert (seen[8:] == 65535).all()


@pytest.mark.parametrize("orientation", TURNS)
def test_orientation_is_applied_once(path: Path, orientation: int) -> None:
    samples = gradient_samples(32, 48)
    exif = Image.Exif()
    exif[0x0112] = orientation
    if path.suffix == ".avif":
        save(path, samples, exif=exif)
    else:
        options = {"quality": 95, "chroma": 444, "exif": exif.tobytes()}
        pillow_heif.encode("RGB", (48, 32), samples.tobytes(), path, **options)
    upright = TURNS[orientation](samples).astype(int)
    opened = open_picture(path)
    assert (opened.height, opened.width) == upright.shape[:2]
    assert np.abs(read_samples(path) - upright).mean() < 3


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_grey_is_read(tmp_path: Path, mode: str) -> None:
    image = Image.fromarray(gradient_samples(16, 24)[..., 0]).convert(mode)
    pillow_heif.from_pillow(image).save(tmp_path / "a.heic", quality=95)
    expected = np.array(image.convert("RGB")).astype(int)
    assert np.abs(read_samples(tmp_path / "a.heic") - expected).mean() < 3


def test_profiles_are_applied(path: Path) -> None:
    wide: bytes = libvips().Operation.call("profile_load", "p3")
    samples = np.full((16, 16, 3), [200, 60, 60], np.uint8)
    image = Image.fromarray(samples)
    image.save(path.with_suffix(".png"), icc_profile=wide)
    if path.suffix == ".avif":
        image.save(path, quality=95, subsampling="4:4:4", icc_profile=wide)
    else:
        image.info["icc_profile"] = wide
        pillow_heif.from_pillow(image).save(path, quality=95, chroma=444)
    expected = read_samples(path.with_suffix(".png"))[0, 0].astype(int)
    assert np.abs(read_samples(path)[8, 8] - expected).max() <= 3
    assert expected[0] > 205, "the same numbers are a stronger red in sRGB"


@pytest.mark.parametrize(
    ("primaries", "transfer", "reason"),
    [
        (9, 16, r"high dynamic range \(PQ\): export it in sRGB"),
        (9, 18, r"high dynamic range \(HLG\)"),
        (10, 13, r"colours of another space \(10 and 13 in H.273\): export it in sRGB"),
        (1, 9, "colours of another space"),
    ],
)
def test_other_colours_are_refused(
    tmp_path: Path, primaries: int, transfer: int, reason: str
) -> None:
    image = pillow_heif.from_pillow(Image.fromarray(noise_samples(16, 16)))
    path = tmp_path / "a.heic"
    image.save(path, color_primaries=primaries, transfer_characteristics=transfer)
    with pytest.raises(PictureError, match=reason):
        open_picture(path)


@pytest.mark.parametrize(("primaries", "transfer"), [(9, 13), (1, 8), (12, 4), (5, 6)])
def test_colours_by_number_are_those_of_a_png(
    tmp_path: Path, primaries: int, transfer: int
) -> None:
    samples = np.full((16, 16, 3), [150, 90, 60], np.uint8)
    code = bytes([primaries, transfer, 0, 1])
    expected = read_samples(write_png(tmp_path / "a.png", samples, (b"cICP", code)))[0, 0]
    image = pillow_heif.from_pillow(Image.fromarray(samples))
    options = {"color_primaries": primaries, "transfer_characteristics": transfer}
    image.save(tmp_path / "a.heic", quality=-1, chroma=444, **options)
    seen = read_samples(tmp_path / "a.heic")[8, 8].astype(int)
    assert np.abs(seen - expected).max() <= 3


def test_premultiplied_colours_are_composited_once(tmp_path: Path) -> None:
    samples = np.full((16, 16, 4), [100, 50, 0, 128], np.uint8)
    path = save(tmp_path / "a.avif", samples)
    assert np.abs(read_samples(path)[8, 8].astype(int) - [177, 152, 127]).max() <= 2
    path.write_bytes(as_premultiplied(path.read_bytes()))
    assert np.abs(read_samples(path)[8, 8].astype(int) - [227, 177, 127]).max() <= 2


def as_premultiplied(avif: bytes) -> bytes:
    """The file, with a reference (`prem`) from its colours to its transparency."""
    meta, references = avif.index(b"meta") - 4, avif.index(b"iref") - 4
    (length,) = struct.unpack_from(">I", avif, references)
    alpha, _, colours = struct.unpack_from(">3H", avif, references + 20)
    added = struct.pack(">I4s3H", 14, b"prem", colours, 1, alpha)
    changed = bytearray(avif)
    places, pixels = avif.index(b"iloc"), avif.index(b"mdat") + 4
    for at in range(places + 4, avif.index(b"iinf")):  # offsets of what is moved
        (value,) = struct.unpack_from(">I", avif, at)
        if pixels <= value < len(avif):
            struct.pack_into(">I", changed, at, value + len(added))
    for at in (meta, references):
        struct.pack_into(">I", changed, at, struct.unpack_from(">I", avif, at)[0] + len(added))
    changed[references + length : references + length] = added
    return bytes(changed)


def test_display_p3_by_number_is_converted(tmp_path: Path) -> None:
    samples = np.full((16, 16, 3), [200, 60, 60], np.uint8)
    image = pillow_heif.from_pillow(Image.fromarray(samples))
    image.save(
        tmp_path / "a.heic",
        quality=95,
        chroma=444,
        color_primaries=12,
        transfer_characteristics=13,
    )
    assert read_samples(tmp_path / "a.heic")[8, 8, 0] > 205


def test_the_main_picture_of_a_collection_is_read(tmp_path: Path) -> None:
    collection = pillow_heif.HeifFile()
    for grey in (10, 100, 200):
        collection.add_from_pillow(Image.new("RGB", (16, 16), (grey, grey, grey)))
    collection.save(tmp_path / "a.heic", primary_index=1)
    opened = open_picture(tmp_path / "a.heic")
    assert opened.notes == ("holds 3 pictures, and number 2 is used",)
    assert abs(float(read_samples(tmp_path / "a.heic").mean()) - 100) <= 2
    last = open_picture(tmp_path / "a.heic", page=3)
    assert abs(float(np.concatenate(list(last.bands(16))).mean()) - 200) <= 2


def test_damaged_files_are_called_so(path: Path) -> None:
    content = save(path, noise_samples(64, 64)).read_bytes()
    for share in (0.02, 0.2, 0.5, 0.9):
        path.write_bytes(content[: int(len(content) * share)])
        with pytest.raises(PictureError, match="damaged"):
            read_samples(path)


def test_large_files_are_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(path, noise_samples(16, 16))
    monkeypatch.setattr(decode, "MAX_IN_MEMORY_PIXELS", 255)
    with pytest.raises(PictureError, match="HEIC or AVIF can only be decoded in one piece"):
        open_picture(path)
    monkeypatch.setattr(heif, "_MAX_FILE_BYTES", 99)
    with pytest.raises(PictureError, match="more than 1 GiB: save it as TIFF or PNG"):
        open_picture(path)
