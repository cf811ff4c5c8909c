"""TIFF files with loops of directories, too many pages or huge strips are refused."""

import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile

from render.errors import PictureError
from render.pictures import decode
from render.pictures.decode import open_picture
from render.pictures.tiff_directories import MAX_DIRECTORIES
from render.pictures.tiff_page import choose_tiff_page
from tests.support.malicious_files import chained_tiff, first_directory, looping_tiff
from tests.support.picture_files import noise_samples, read_samples

SEPARATE, OLD_JPEG, YCBCR = (284, 2), (259, 6), (262, 6)
"""Tags of strips that must be decoded as a whole."""


def single_strip_tiff(*tags: tuple[int, int], size: int = 40_000) -> bytes:
    """The header of a TIFF of so many pixels on each side, in one strip."""
    usual = {256: size, 257: size, 258: 8, 273: 8, 277: 3, 278: size, 279: 99}
    entries = [*((tag, value) for tag, value in usual.items()), *tags]
    directory = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(entries))
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + directory + bytes(4)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.tif"


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_loop_is_refused_wherever_it_begins(path: Path, order: str, big: bool) -> None:
    lone = chained_tiff(1, order=order, big=big)
    path.write_bytes(lone)
    choose_tiff_page(path)
    assert read_samples(path).shape == (8, 8, 3), "the file would be read but for its circle"
    length = len(lone) - first_directory(big=big) - 64
    for pages in (1, 2, 5):
        for back in range(pages):
            then = first_directory(big=big) + back * length
            path.write_bytes(chained_tiff(pages, then, order=order, big=big))
            with pytest.raises(PictureError, match="form a loop: copy or export") as refused:
                choose_tiff_page(path)
            assert str(refused.value).startswith(f"{path}: ")


def test_too_many_pages_are_refused(path: Path) -> None:
    path.write_bytes(chained_tiff(MAX_DIRECTORIES))
    choose_tiff_page(path)
    path.write_bytes(chained_tiff(MAX_DIRECTORIES + 1))
    with pytest.raises(PictureError, match="more than 512 pages: export the one"):
        choose_tiff_page(path)


def test_other_damage_is_left_to_the_decoder(path: Path) -> None:
    whole = chained_tiff(2)
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        choose_tiff_page(path)
    path.write_bytes(chained_tiff(1, 1 << 31))
    choose_tiff_page(path)


@pytest.mark.parametrize(
    "content",
    [
        looping_tiff(),
        chained_tiff(MAX_DIRECTORIES + 1),
        single_strip_tiff(SEPARATE),
        single_strip_tiff(OLD_JPEG),
        single_strip_tiff(YCBCR),
        # The largest value of a repeated tag counts.
        single_strip_tiff((284, 1), SEPARATE),
        single_strip_tiff(SEPARATE, (284, 1)),
        single_strip_tiff(SEPARATE, (278, 1)),
    ],
)
def test_refused_files_are_not_decoded(
    path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decoded(*_: object) -> None:
        raise AssertionError("a decoder was asked")

    monkeypatch.setattr(decode, "_decoder", decoded)
    path.write_bytes(content)
    with pytest.raises(PictureError):
        open_picture(path)


def test_strips_that_are_decoded_row_by_row_may_be_long(path: Path) -> None:
    for tags in ((), ((284, 1),), ((259, 8),), (SEPARATE, (322, 256))):
        path.write_bytes(single_strip_tiff(*tags))
        choose_tiff_page(path)
    path.write_bytes(single_strip_tiff(SEPARATE, size=8192))
    choose_tiff_page(path)
    path.write_bytes(single_strip_tiff(SEPARATE, size=8193))
    with pytest.raises(PictureError, match="8193 x 8193 pixels in one strip"):
        choose_tiff_page(path)


def test_channels_one_after_the_other_are_read(path: Path) -> None:
    samples = noise_samples(40, 30)
    tifffile.imwrite(path, samples.transpose(2, 0, 1), photometric="rgb", planarconfig="separate")
    assert np.array_equal(read_samples(path), samples)
