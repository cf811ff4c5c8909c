"""PNGs are upright, wherever their orientation is stated."""

import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from render.pictures.png_chunks import PngChunks, read_png_chunks
from tests.support.picture_files import noise_samples, read_samples
from tests.support.png_files import Chunk, exif, png_chunk, raw_profile, write_png

PACKET = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description %s</rdf:Description></x:xmpmeta>'


def xmp(text: bytes) -> bytes:
    return PACKET % text


def itxt(keyword: bytes, text: bytes, *, compress: bool = False) -> Chunk:
    content = zlib.compress(text) if compress else text
    return b"iTXt", keyword + (b"\0\1\0" if compress else b"\0\0\0") + b"en\0\0" + content


def ztxt(keyword: bytes, text: bytes) -> Chunk:
    return b"zTXt", keyword + b"\0\0" + zlib.compress(text)


EXIF_TEXT, XMP_TEXT = b"Raw profile type exif", b"XML:com.adobe.xmp"

STATED: dict[str, Chunk] = {
    "eXIf": (b"eXIf", exif(6)),
    "eXIf of another byte order": (b"eXIf", exif(6, ">")),
    "eXIf with a prefix": (b"eXIf", b"Exif\0\0" + exif(6)),
    "zTXt": ztxt(EXIF_TEXT, raw_profile(b"exif", b"Exif\0\0" + exif(6))),
    "tEXt": (b"tEXt", EXIF_TEXT + b"\0" + raw_profile(b"exif", exif(6))),
    "iTXt": itxt(EXIF_TEXT, raw_profile(b"exif", exif(6, ">")), compress=True),
    "APP1": ztxt(b"Raw profile type APP1", raw_profile(b"APP1", b"Exif\0\0" + exif(6))),
    "XMP attribute": itxt(XMP_TEXT, xmp(b'tiff:Orientation="6">')),
    "XMP element": itxt(XMP_TEXT, xmp(b">\n<tiff:Orientation>6</tiff:Orientation>")),
    "XMP in other quotes": itxt(XMP_TEXT, xmp(b"tiff:Orientation = '6'>"), compress=True),
    "XMP of ImageMagick": ztxt(
        b"Raw profile type xmp", raw_profile(b"xmp", xmp(b'tiff:Orientation="6">'))
    ),
}


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("name", STATED)
def test_a_png_is_upright(tmp_path: Path, name: str, place: str) -> None:
    samples, chunk = noise_samples(6, 9), STATED[name]
    before, after = ((chunk,), ()) if place == "before" else ((), (chunk,))
    path = write_png(tmp_path / "a.png", samples, *before, after=after)
    np.testing.assert_array_equal(read_samples(path), np.rot90(samples, -1))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_as_in_pillow(tmp_path: Path, orientation: int) -> None:
    path = write_png(tmp_path / "a.png", noise_samples(6, 9), after=((b"eXIf", exif(orientation)),))
    with Image.open(path) as image:
        expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    np.testing.assert_array_equal(read_samples(path), expected)


@pytest.mark.parametrize(
    ("chunks", "orientation"),
    [
        (((b"eXIf", exif(1)), STATED["XMP element"]), 1),
        (((b"eXIf", exif(8)), STATED["zTXt"]), 8),
        (((b"eXIf", exif(0)), STATED["zTXt"]), 6),
        (((b"eXIf", exif(9)[:12]), STATED["XMP element"]), 6),
        ((STATED["XMP element"], ztxt(EXIF_TEXT, raw_profile(b"exif", exif(3)))), 3),
        ((ztxt(EXIF_TEXT, b"\nexif\n 9\nno digits"),), None),
        (((b"zTXt", EXIF_TEXT + b"\0\0not compressed"),), None),
        (((b"iTXt", XMP_TEXT), (b"tEXt", b"")), None),
        ((itxt(XMP_TEXT, xmp(b'tiff:Orientation="66">')),), None),
    ],
)
def test_the_first_statement_counts(
    tmp_path: Path, chunks: tuple[Chunk, ...], orientation: int | None
) -> None:
    path = write_png(tmp_path / "a.png", noise_samples(6, 9), *chunks)
    with path.open("rb") as file:
        assert read_png_chunks(file).orientation == orientation


def test_a_chunk_with_a_wrong_checksum_does_not_count(tmp_path: Path) -> None:
    path = write_png(tmp_path / "a.png", noise_samples(6, 9), (b"eXIf", exif(6)))
    content = path.read_bytes()
    chunk = png_chunk(b"eXIf", exif(6))
    path.write_bytes(content.replace(chunk, chunk[:-1] + bytes([chunk[-1] ^ 1])))
    with path.open("rb") as file:
        assert read_png_chunks(file) == PngChunks()


@pytest.mark.parametrize("suffix", ["jpg", "webp"])
def test_xmp_counts_in_other_formats_too(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    Image.new("RGB", (30, 20)).save(path, xmp=xmp(b'tiff:Orientation="6">'))
    assert read_samples(path).shape == (30, 20, 3)
    exif_data = Image.Exif()
    exif_data[0x0112] = 1
    Image.new("RGB", (30, 20)).save(path, xmp=xmp(b'tiff:Orientation="6">'), exif=exif_data)
    assert read_samples(path).shape == (20, 30, 3)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from([b"eXIf", b"zTXt", b"iTXt", b"tEXt"]), st.binary())))
def test_no_content_is_an_error(tmp_path: Path, chunks: list[Chunk]) -> None:
    keywords = [(kind, EXIF_TEXT + b"\0\0" + content) for kind, content in chunks]
    path = write_png(tmp_path / "a.png", noise_samples(2, 2), *chunks, *keywords)
    with path.open("rb") as file:
        assert read_png_chunks(file).orientation in (None, *range(1, 9))


def test_texts_of_other_keywords_are_not_inflated(tmp_path: Path) -> None:
    bomb = bytes(2**24)
    texts = [ztxt(b"%d" % number, bomb) for number in range(10)]
    texts += [itxt(XMP_TEXT, bomb, compress=True)] * 10
    path = write_png(tmp_path / "a.png", noise_samples(6, 9), *texts)
    tracemalloc.start()
    try:
        with path.open("rb") as file:
            found = read_png_chunks(file)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert list(found.texts) == [XMP_TEXT]
    assert peak < 2**24


def test_metadata_ends_after_many_chunks(tmp_path: Path) -> None:
    chunks = [ztxt(b"a", b"")] * 2000
    path = write_png(tmp_path / "a.png", noise_samples(6, 9), *chunks, (b"eXIf", exif(6)))
    with path.open("rb") as file:
        assert read_png_chunks(file).orientation is None
