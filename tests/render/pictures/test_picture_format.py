"""Files are known by their content, and the right picture of several is read."""

import struct
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from render.errors import PictureError
from render.pictures.decode import open_picture
from render.pictures.picture_format import HEIF, JPEG, PNG, TIFF, WEBP, find_format, select_picture
from tests.support.picture_files import noise_samples, read_samples

GREYS = (10, 100, 200)
"""Of the pictures in a file, in order."""


def save_several(path: Path, **options: Any) -> Path:
    """A file of three plain pictures, in the format of its name."""
    first, *others = (Image.new("RGB", (20, 16), (grey, grey, grey)) for grey in GREYS)
    first.save(path, save_all=True, append_images=others, **options)
    return path


def grey_of(path: Path, page: int | None = None) -> float:
    return float(np.concatenate(list(open_picture(path, page=page).bands(16))).mean())


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.jpg", JPEG), ("a.png", PNG), ("a.tif", TIFF), ("a.webp", WEBP), ("a.avif", HEIF)],
)
def test_names_do_not_matter(tmp_path: Path, name: str, kind: str) -> None:
    Image.fromarray(noise_samples(8, 8)).save(tmp_path / name)
    unnamed = (tmp_path / name).rename(tmp_path / "picture")
    assert find_format(unnamed) == kind
    assert not select_picture(unnamed).notes


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (b"GIF89a", "a GIF is not a picture that can be read: export it as PNG"),
        (b"8BPS\0\1", "a Photoshop file"),
        (b"\xff\x0a", "a JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000"),
        (b"v/1\x01", "an OpenEXR"),
        (b"FUJIFILMCCD-RAW 0201", "a raw file of a camera: develop it"),
        (b"IIRS\x08\0\0\0", "a raw file"),
        (b"IIU\0\x18\0\0\0", "a raw file"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1", "a raw file"),
        (b"FOVb", "a raw file"),
    ],
)
def test_other_formats_are_named(tmp_path: Path, head: bytes, reason: str) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(head.ljust(64, b"\0"))
    with pytest.raises(PictureError, match=reason) as refused:
        open_picture(path)
    assert str(refused.value).startswith(f"{path}: ")


@pytest.mark.parametrize("name", ["a.webp", "a.mpo"])
def test_the_first_picture_is_read_with_a_word(tmp_path: Path, name: str) -> None:
    path = save_several(tmp_path / name)
    assert open_picture(path).notes == ("holds 3 pictures, and number 1 is used",)
    assert abs(grey_of(path) - GREYS[0]) <= 2
    for number, grey in enumerate(GREYS, 1):
        assert abs(grey_of(path, number) - grey) <= 2
        assert not open_picture(path, page=number).notes
    with pytest.raises(PictureError, match="has no page 4, it holds 3 pictures: give another"):
        open_picture(path, page=4)


def test_animated_pngs_and_sequences_give_their_still_picture(tmp_path: Path) -> None:
    moving = save_several(tmp_path / "a.png", duration=50)
    assert open_picture(moving).notes == ("is animated; its still picture is used",)
    assert grey_of(moving) == GREYS[0]
    sequence = save_several(tmp_path / "a.avif", duration=50)
    assert open_picture(sequence).notes == ("is a sequence; its still picture is used",)
    assert abs(grey_of(sequence) - GREYS[0]) <= 2


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp"])
def test_most_files_have_one_page(tmp_path: Path, name: str) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / name)
    assert open_picture(tmp_path / name, page=1).height == 8
    with pytest.raises(PictureError, match="has no page 2, it holds one picture"):
        open_picture(tmp_path / name, page=2)


def jpeg(grey: int, size: int) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (size, size), (grey, grey, grey)).save(buffer, "jpeg")
    return buffer.getvalue()


def mpo(*pictures: tuple[int, bytes], order: str = "<") -> bytes:
    """An MPO file of JPEGs, each with the class of its picture type."""
    mark = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}H", 42)
    length = 4 + 2 + len(mark) + 4 + 2 + 12 + 4 + 16 * len(pictures) + 2
    base, places, end = 2 + 2 + 2 + 4, [0], len(pictures[0][1]) + length
    for _, content in pictures[1:]:
        places.append(end - base)
        end += len(content)
    head = mark + struct.pack(f"{order}IH", 8, 1)
    head += struct.pack(f"{order}HHIII", 0xB002, 7, 16 * len(pictures), 26, 0)
    index = b"".join(
        struct.pack(f"{order}IIIHH", kind << 16, len(content), place, 0, 0)
        for (kind, content), place in zip(pictures, places, strict=True)
    )
    segment = b"MPF\0" + head + index
    segment = segment.ljust(length - 4, b"\0")
    first = pictures[0][1]
    start = first[:2] + b"\xff\xe2" + struct.pack(">H", len(segment) + 2) + segment + first[2:]
    return start + b"".join(content for _, content in pictures[1:])


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_thumbnail_of_an_mpo_is_not_the_picture(tmp_path: Path, order: str) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(mpo((1, jpeg(10, 8)), (3, jpeg(200, 32)), order=order))
    opened = open_picture(path)
    assert (opened.height, opened.notes) == (32, ())
    assert abs(grey_of(path) - 200) <= 2
    assert open_picture(path, page=1).height == 8
    path.write_bytes(mpo((1, jpeg(10, 32)), order=order))
    assert open_picture(path).notes == (
        "the file calls it a reduced version of a picture, and holds no other",
    )
    path.write_bytes(mpo((3, jpeg(10, 32)), (1, jpeg(200, 8)), order=order))
    assert (open_picture(path).height, open_picture(path).notes) == (32, ())


def test_a_damaged_index_of_an_mpo_is_left_aside(tmp_path: Path) -> None:
    whole = mpo((3, jpeg(10, 32)), (3, jpeg(200, 32)))
    path = tmp_path / "a.jpg"
    for at in range(6, 60):
        for value in (0, 0xFF):
            path.write_bytes(whole[:at] + bytes([value]) + whole[at + 1 :])
            assert select_picture(path).loader == JPEG


def test_turned_pages_are_upright(tmp_path: Path) -> None:
    samples = noise_samples(12, 20)
    first, second = Image.new("RGB", (4, 4)), Image.fromarray(samples)
    exif = Image.Exif()
    exif[0x0112] = 6
    second.encoderinfo = {"tiffinfo": {274: 6}}
    first.save(tmp_path / "a.tif", save_all=True, append_images=[second])
    opened = open_picture(tmp_path / "a.tif", page=2)
    assert (opened.height, opened.width) == (20, 12)
    np.testing.assert_array_equal(np.concatenate(list(opened.bands(7))), np.rot90(samples, -1))
    assert read_samples(tmp_path / "a.tif").shape == (4, 4, 3)
