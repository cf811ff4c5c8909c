"""Damaged and unsupported files are refused with a message of one line."""

import re
import struct
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from render.errors import PictureError
from render.pictures import decode
from render.pictures.decode import open_picture
from tests.support.malicious_files import looping_tiff, oversized_png
from tests.support.picture_files import gradient_samples, noise_samples, read_samples


def _encoded(picture: np.ndarray, kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    Image.fromarray(picture).save(buffer, kind, **options)
    return buffer.getvalue()


def _float_tiff() -> bytes:
    buffer = BytesIO()
    tifffile.imwrite(buffer, np.zeros((4, 4, 3), np.float32), photometric="rgb")
    return buffer.getvalue()


def _many_channels() -> bytes:
    buffer = BytesIO()
    tifffile.imwrite(
        buffer, np.zeros((4, 4, 7), np.uint8), photometric="minisblack", planarconfig="contig"
    )
    return buffer.getvalue()


def _wide_tiff(width: int) -> bytes:
    tags = ((256, width), (257, 1), (258, 8), (259, 1), (262, 1), (273, 8), (278, 1), (279, 8))
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)


def _jpeg_frame(marker: int, depth: int) -> bytes:
    """A JPEG of which the frame states another process and depth than its samples have."""
    whole = _encoded(noise_samples(16, 16), "jpeg")
    at = whole.index(b"\xff\xc0")
    head = bytes((0xFF, marker)) + whole[at + 2 : at + 4] + bytes((depth,))
    return whole[:at] + head + whole[at + 5 :]


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect/></svg>'

BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "empty"),
    "text": (lambda: b"hello, I am a text", "not a picture"),
    "svg": (lambda: SVG, "not a picture"),
    "pdf": (lambda: b"%PDF-1.7\n", "not a picture"),
    "gif": (lambda: _encoded(noise_samples(5, 5), "gif"), "not a picture"),
    "bmp": (lambda: _encoded(noise_samples(5, 5), "bmp"), "not a picture"),
    "one byte": (lambda: b"\xff", "not a picture"),
    "jpeg of magic only": (lambda: b"\xff\xd8\xff", "damaged"),
    "png of magic only": (lambda: b"\x89PNG\r\n\x1a\n", "damaged"),
    "tiff of magic only": (lambda: b"II*\0", "damaged"),
    "webp of magic only": (lambda: b"RIFF\0\0\0\0WEBP", "damaged"),
    "absurd size": (lambda: oversized_png(100_000, 100_000), "limit of 2000000000"),
    "absurd width": (lambda: oversized_png(2**20 + 1, 1), "more than 1048576 on one side"),
    "absurd height": (lambda: oversized_png(1, 2**20 + 1), "more than 1048576 on one side"),
    "width beyond libvips": (lambda: oversized_png(2**31 - 1, 1), "more than 1048576 on one side"),
    "wide tiff": (lambda: _wide_tiff(2**32 - 1), "more than 1048576 pixels on one side"),
    "12-bit jpeg": (lambda: _jpeg_frame(0xC1, 12), "12-bit samples"),
    "lossless jpeg": (lambda: _jpeg_frame(0xC3, 8), "lossless or hierarchical JPEG"),
    "no width": (lambda: oversized_png(0, 5), "damaged"),
    "no height": (lambda: oversized_png(5, 0), "damaged"),
    "header without pixels": (lambda: oversized_png(5, 5), "truncated or damaged"),
    "circle": (looping_tiff, "form a loop"),
    "float samples": (_float_tiff, "float samples"),
    "seven channels": (_many_channels, "channels"),
}


@pytest.mark.parametrize("name", ["12-bit jpeg", "lossless jpeg", "wide tiff"])
def test_what_cannot_be_read_is_refused_by_its_header(tmp_path: Path, name: str) -> None:
    path = tmp_path / "bad.picture"
    path.write_bytes(BAD[name][0]())
    with pytest.raises(PictureError, match=BAD[name][1]):
        open_picture(path)


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_in_one_line(tmp_path: Path, name: str) -> None:
    make, reason = BAD[name]
    path = tmp_path / "bad.picture"
    path.write_bytes(make())
    with pytest.raises(PictureError, match=reason) as caught:
        read_samples(path)
    line = str(caught.value)
    assert line.startswith(f"{path}: ")
    assert "\n" not in line
    assert re.search(r": (copy|crop|give|shrink|export|save)", line), "it says what to do"


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"No such file.*check the path"):
        open_picture(tmp_path / "nowhere.png")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="Is a directory"):
        open_picture(tmp_path)


WHOLE = {
    "png": _encoded(noise_samples(40, 40), "png"),
    "jpeg": _encoded(noise_samples(40, 40), "jpeg"),
    "progressive jpeg": _encoded(noise_samples(40, 40), "jpeg", progressive=True),
    "webp": _encoded(noise_samples(40, 40), "webp", lossless=True),
    "plain tiff": _encoded(noise_samples(40, 40), "tiff"),
    "deflated tiff": _encoded(noise_samples(40, 40), "tiff", compression="tiff_adobe_deflate"),
}


@pytest.mark.parametrize("name", WHOLE)
@given(share=st.floats(0.01, 0.97))
def test_truncated_files_are_refused(
    tmp_path_factory: pytest.TempPathFactory, name: str, share: float
) -> None:
    path = tmp_path_factory.mktemp("cut") / "cut"
    path.write_bytes(WHOLE[name][: int(len(WHOLE[name]) * share)])
    with pytest.raises(PictureError):
        read_samples(path, rows=8)


@pytest.mark.parametrize("kind", ["png", "jpeg", "tiff"])
def test_truncation_is_found_while_streaming(tmp_path: Path, kind: str) -> None:
    whole = _encoded(noise_samples(900, 700), kind)
    if kind == "tiff":  # Pillow's directory stands first, so that the header stays readable
        assert struct.unpack("<I", whole[4:8]) == (8,)
    path = tmp_path / "cut"
    path.write_bytes(whole[: len(whole) * 2 // 3])
    bands = open_picture(path).bands(16)
    assert next(bands).shape == (16, 700, 3)
    with pytest.raises(PictureError, match=r"found at row \d+ of 900"):
        list(bands)


def test_the_limit_can_be_moved(tmp_path: Path) -> None:
    Image.fromarray(noise_samples(10, 10)).save(tmp_path / "a.png")
    assert open_picture(tmp_path / "a.png", max_pixels=100).height == 10
    with pytest.raises(PictureError, match="10 x 10 pixels are more than the limit of 99"):
        open_picture(tmp_path / "a.png", max_pixels=99)


def test_pictures_decoded_in_memory_have_a_lower_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decode, "MAX_IN_MEMORY_PIXELS", 99)
    Image.fromarray(gradient_samples(10, 10)).save(tmp_path / "baseline.jpg")
    Image.fromarray(gradient_samples(10, 10)).save(tmp_path / "progressive.jpg", progressive=True)
    assert open_picture(tmp_path / "baseline.jpg").height == 10
    with pytest.raises(PictureError, match="without interlacing"):
        open_picture(tmp_path / "progressive.jpg")


def _webp_claiming(kind: bytes, side: int) -> bytes:
    """A WebP of 8 x 8 pixels whose header states `side` for both sides."""
    stored = BytesIO()
    picture = Image.fromarray(noise_samples(8, 8))
    if kind == b"VP8X":
        picture.putalpha(128)
    picture.save(stored, "WEBP", lossless=kind == b"VP8L")
    content = bytearray(stored.getvalue())
    assert content[12:16] == kind
    if kind == b"VP8X":
        content[24:30] = (side - 1).to_bytes(3, "little") * 2
    elif kind == b"VP8L":
        content[21:25] = (side - 1 | side - 1 << 14).to_bytes(4, "little")
    else:
        content[26:30] = side.to_bytes(2, "little") * 2
    return bytes(content)


@pytest.mark.parametrize("kind", [b"VP8 ", b"VP8L", b"VP8X"])
def test_a_webp_is_measured_before_libvips_reserves_its_canvas(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: bytes
) -> None:
    path = tmp_path / "a.webp"
    path.write_bytes(_webp_claiming(kind, 16383))
    monkeypatch.setattr(decode, "_decoder", None)
    with pytest.raises(PictureError, match="16383 x 16383 pixels are more than the limit of 1024"):
        open_picture(path, max_pixels=1024)


def test_a_picture_for_which_there_is_no_memory_is_not_called_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.webp"
    path.write_bytes(_webp_claiming(b"VP8 ", 16383))
    script = """
import resource, sys
from pathlib import Path
from render.errors import PictureError
from render.pictures.decode import open_picture
try:
    open_picture(Path(sys.argv[1]), max_pixels=1)  # loads libvips
except PictureError:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
limit = pages * resource.getpagesize() + 2**29
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    open_picture(Path(sys.argv[1]))
except PictureError as error:
    print(error)
"""
    said = subprocess.run(
        [sys.executable, "-c", script, path], capture_output=True, text=True, check=True
    ).stdout
    assert said.startswith(f"{path}: opening it needs more memory than is free (vips_tracked")
    assert said.endswith(": free some, or save it as TIFF\n")
