"""The picture of a TIFF is found among previews, masks and other pages; raw files are known."""

import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile

from render.errors import PictureError
from render.pictures.decode import open_picture
from render.pictures.tiff_page import choose_tiff_page
from render.pictures.vips import libvips
from tests.render.pictures.test_tiff_page import tiff
from tests.support.picture_files import noise_samples, read_samples

REDUCED, MASK = 1, 4


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.tif"


def write_pages(path: Path, *pages: tuple[np.ndarray, int]) -> Path:
    """Pages of RGB, each with its NewSubfileType."""
    with tifffile.TiffWriter(path) as file:
        for samples, kind in pages:
            file.write(samples, photometric="rgb", subfiletype=kind, metadata=None)
    return path


def test_the_first_full_page_is_read(path: Path) -> None:
    preview, picture = noise_samples(4, 5), noise_samples(40, 50)
    write_pages(path, (preview, REDUCED), (picture, 0))
    np.testing.assert_array_equal(read_samples(path), picture)
    assert not open_picture(path).notes, "a preview is no other picture"
    np.testing.assert_array_equal(
        np.concatenate(list(open_picture(path, page=1).bands(9))), preview
    )


def test_a_mask_is_no_picture(path: Path) -> None:
    picture = noise_samples(8, 8)
    with tifffile.TiffWriter(path) as file:
        mask = np.ones((8, 8), bool)
        file.write(mask, photometric="minisblack", subfiletype=MASK, metadata=None)
        file.write(picture, photometric="rgb", metadata=None)
    np.testing.assert_array_equal(read_samples(path), picture)


def test_old_files_mark_reduced_pages_by_another_tag(path: Path) -> None:
    path.write_bytes(tiff((255, 2)))
    assert choose_tiff_page(path).number == 1, "there is no other page"
    assert choose_tiff_page(path).full_pages == 0


def test_a_picture_that_is_only_called_reduced_is_read_with_a_word(path: Path) -> None:
    reduced = noise_samples(8, 9)
    write_pages(path, (reduced, REDUCED))
    np.testing.assert_array_equal(read_samples(path), reduced)
    said = "the file calls it a reduced version of a picture, and holds no other"
    assert open_picture(path).notes == (said,)
    assert open_picture(path, page=1).notes == ()


def test_other_pages_are_named_and_can_be_chosen(path: Path) -> None:
    pages = [noise_samples(6 + number, 7) for number in range(3)]
    write_pages(path, *((page, 0) for page in pages))
    assert open_picture(path).notes == ("holds 3 pictures, and number 1 is used",)
    for number, page in enumerate(pages, 1):
        chosen = open_picture(path, page=number)
        np.testing.assert_array_equal(np.concatenate(list(chosen.bands(4))), page)
        assert not chosen.notes
    with pytest.raises(PictureError, match="has no page 4, only 3: give another"):
        open_picture(path, page=4)


def test_a_preview_that_nobody_calls_so_is_known_by_its_size(path: Path) -> None:
    preview, picture = noise_samples(4, 5), noise_samples(41, 51)
    write_pages(path, (preview, 0), (noise_samples(20, 25), 0), (picture, 0))
    np.testing.assert_array_equal(read_samples(path), picture)
    assert open_picture(path).notes == ("holds 3 pictures, and number 3 is used",)


@pytest.mark.parametrize(
    ("first", "second"),
    [((10, 10), (19, 19)), ((10, 10), (40, 50)), ((2100, 4), (4200, 8)), ((40, 50), (4, 5))],
    ids=["not twice as large", "of another shape", "as large as a scan", "smaller"],
)
def test_other_pages_do_not_make_the_first_a_preview(
    path: Path, first: tuple[int, int], second: tuple[int, int]
) -> None:
    write_pages(path, (noise_samples(*first), 0), (noise_samples(*second), 0))
    np.testing.assert_array_equal(read_samples(path), noise_samples(*first))
    assert open_picture(path).notes == ("holds 2 pictures, and number 1 is used",)


def test_a_thumbnail_of_exif_is_no_picture(path: Path) -> None:
    thumbnail, picture = tiff((513, 8), (514, 64)), tiff((256, 16), (257, 4))
    begin = len(thumbnail)
    following = 10 + 12 * int.from_bytes(thumbnail[8:10], "little")
    content = thumbnail[:following] + struct.pack("<I", begin) + thumbnail[following + 4 :]
    moved = picture[8:].replace(
        struct.pack("<HHII", 273, 4, 1, 8 + len(picture[8:]) - 64),
        struct.pack("<HHII", 273, 4, 1, begin + len(picture[8:]) - 64),
    )
    path.write_bytes(content + moved)
    assert choose_tiff_page(path).number == 2
    assert read_samples(path).shape == (4, 16, 3)


def test_a_larger_picture_in_a_sub_directory_is_named(path: Path) -> None:
    with tifffile.TiffWriter(path) as file:
        file.write(noise_samples(8, 8), photometric="rgb", subifds=1, metadata=None)
        file.write(noise_samples(40, 40), photometric="rgb", metadata=None)
    with pytest.raises(PictureError, match="reduced versions of a picture inside: export that"):
        open_picture(path)
    assert open_picture(path, page=1).width == 8
    with tifffile.TiffWriter(path) as file:
        file.write(noise_samples(40, 40), photometric="rgb", subifds=1, metadata=None)
        file.write(noise_samples(8, 8), photometric="rgb", subfiletype=REDUCED, metadata=None)
    assert open_picture(path).width == 40


RAW = {
    "dng": [(50706, 0x00000401)],
    "mosaic": [(262, 32803)],
    "linear raw": [(262, 34892), (277, 3)],
    "filter pattern": [(33422, 0x02010100)],
    "sony": [(259, 32767)],
    "nikon": [(259, 34713)],
    "pentax": [(259, 65535)],
    "leaf": [(34310, 0)],
    "kodak": [(33424, 0)],
    "sony, without a sensor here": [(50740, 0)],
}


@pytest.mark.parametrize("name", RAW)
def test_raw_files_are_known_by_their_content(path: Path, name: str) -> None:
    path.write_bytes(tiff(*RAW[name]))
    with pytest.raises(PictureError, match="a raw file of a camera: develop it, and export"):
        open_picture(path)


def test_a_sensor_in_a_sub_directory_makes_a_raw_file(path: Path) -> None:
    preview = tiff((254, REDUCED), (330, 0))
    begin = len(preview) + len(preview) % 2
    entry = struct.pack("<HHI", 330, 4, 1)
    at = preview.index(entry) + len(entry)
    sensor = tiff((262, 32803))[8:]
    content = preview[:at] + struct.pack("<I", begin) + preview[at + 4 :]
    path.write_bytes(content.ljust(begin, b"\0") + sensor)
    with pytest.raises(PictureError, match="a raw file of a camera"):
        open_picture(path)
    inner = content.ljust(begin, b"\0") + tiff()[8:]
    path.write_bytes(inner)
    with pytest.raises(PictureError, match="reduced versions of a picture inside"):
        open_picture(path)


def test_canon_and_phase_one_mark_their_files(path: Path) -> None:
    for mark in (b"CR\x02\0" + bytes(4), b"IIIITwaR", b"MMMMRawT"):
        path.write_bytes(b"II*\0\x10\0\0\0" + mark + tiff()[8:])
        with pytest.raises(PictureError, match="a raw file"):
            open_picture(path)


@pytest.mark.parametrize("first", [b"II", b"CR", b"IIII", b"MMMM", b"CR\x02\0", b"IIIIIIII"])
def test_samples_are_no_mark_of_a_raw_file(path: Path, first: bytes) -> None:
    samples = np.full((16, 24), first[0], np.uint8)
    samples[0, : len(first)] = list(first)
    libvips().Image.new_from_array(samples).cast("uchar").tiffsave(str(path))
    assert path.read_bytes()[8 : 8 + len(first)] == first
    np.testing.assert_array_equal(read_samples(path)[..., 0], samples)
