"""Reads back the identity that `write_picture` embeds in each output (`Labels.identity`)."""

import html
import io
import json
import re
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from render.input_file import open_input_file
from render.pictures.deepzoom import LABELS, labels_file
from render.pictures.pdf_x import read_pdf_identity
from render.pictures.png_chunks import DESCRIPTION, PNG_SIGNATURE, read_png_chunks
from render.pictures.tiff_directories import DirectoryChain
from render.pictures.vips import libvips

_MAX_BYTES = 1 << 25
"""Longer identities are not read. That of the largest spec has half as many."""

_IMAGE_DESCRIPTION = 270
"""The tag of a TIFF, and of Exif."""

_TIFF_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

_JPEG_SIGNATURE = b"\xff\xd8\xff"

_ZIP_SIGNATURE = b"PK\3\4"

_PDF_SIGNATURE = b"%PDF-"

_WHOLE_SIGNATURES = (
    ("webpload", re.compile(rb"RIFF....WEBP", re.DOTALL)),
    ("heifload", re.compile(rb"....ftypavif", re.DOTALL)),
    ("jxlload", re.compile(rb"\xff\n|\0{3}\x0cJXL ")),
)
"""The loaders of libvips, by how a file begins: libvips itself would try all that it has."""

_HEAD_BYTES = 12

_EXIF, _SCAN, _COMMENT = 0xE1, 0xDA, 0xFE

_EXIF_PREFIX = b"Exif\0\0"

_XMP_DESCRIPTION = re.compile(rb'<rdf:li xml:lang="x-default">([^<]*)</rdf:li>')


def read_identity(path: Path) -> str | None:
    """Return the identity in an output, or the other description that stands in its place.

    path: of a file; of tiles, the .dzi or the page beside their folder. None if there is none, or
    only a damaged one. Only metadata is read, and no pixels. Raises OSError if the file cannot be
    read.
    """
    with open_input_file(path) as file:
        head = file.read(_HEAD_BYTES)
        loaders = [name for name, signature in _WHOLE_SIGNATURES if signature.match(head)]
        if head.startswith(PNG_SIGNATURE):
            text = read_png_chunks(file).texts.get(DESCRIPTION)
        elif head.startswith(_TIFF_SIGNATURES):
            text = _description(file)
        elif head.startswith(_JPEG_SIGNATURE):
            text = _from_jpeg(file)
        elif head.startswith(_ZIP_SIGNATURE):
            text = _from_zip(file)
        elif head.startswith(_PDF_SIGNATURE):
            text = read_pdf_identity(file)
        elif loaders:
            text = _from_whole(path, loaders[0])
        else:
            text = _beside(path)
    try:
        return (text or b"").decode("ascii") or None
    except UnicodeDecodeError:  # the description of somebody else
        return None


def _beside(path: Path) -> bytes | None:
    """The identity in the labels of a folder of tiles."""
    try:
        with open_input_file(labels_file(path)) as file:
            return _from_labels(file.read(_MAX_BYTES))
    except FileNotFoundError:
        return None


def _from_labels(content: bytes) -> bytes | None:
    try:
        record = json.loads(content)
    except (ValueError, RecursionError):
        return None
    found = record.get("identity") if isinstance(record, dict) else None
    return found.encode("utf-8", "replace") if isinstance(found, str) else None


def _from_zip(file: BinaryIO) -> bytes | None:
    try:
        with zipfile.ZipFile(file) as archive:
            names = [one for one in archive.namelist() if one.endswith(f"_files/{LABELS}")]
            if not names:
                return None
            with archive.open(names[0]) as entry:
                return _from_labels(entry.read(_MAX_BYTES))
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError):
        return None


def _from_jpeg(file: BinaryIO) -> bytes | None:
    """The text in Exif; if there is none, that of all comments together."""
    comments = bytearray()
    for marker, content in _segments(file):
        if marker == _COMMENT and len(comments) < _MAX_BYTES:
            comments += content
        elif marker == _EXIF and content.startswith(_EXIF_PREFIX):
            text = _description(io.BytesIO(content.removeprefix(_EXIF_PREFIX)))
            if text:
                return text
    return bytes(comments) or None


def _segments(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield the markers and contents of the segments before the coded pixels."""
    file.seek(2)
    while len(head := file.read(4)) == 4:
        sign, marker, length = struct.unpack(">BBH", head)
        if sign != 0xFF or marker == _SCAN or length < 2:
            return
        yield marker, file.read(length - 2)


def _from_whole(path: Path, loader: str) -> bytes | None:
    """The text in Exif or XMP of a WebP, AVIF or JPEG XL."""
    vips = libvips()
    try:
        image = getattr(vips.Image, loader)(str(path))
        found = {name: image.get(name) for name in image.get_fields() if name.endswith("-data")}
    except (vips.Error, AttributeError):  # AttributeError: no such loader
        return None
    exif, xmp = (bytes(found.get(name, b"")) for name in ("exif-data", "xmp-data"))
    text = _description(io.BytesIO(exif.removeprefix(_EXIF_PREFIX)))
    match = None if text else _XMP_DESCRIPTION.search(xmp[:_MAX_BYTES])
    return html.unescape(match[1].decode("utf-8", "replace")).encode() if match else text


def _description(file: BinaryIO) -> bytes | None:
    """The description in the first directory of a TIFF."""
    chain = DirectoryChain.of(file)
    offset = next(chain.offsets(), None)
    if offset is None:
        return None
    places = chain.directory(offset).places.get(_IMAGE_DESCRIPTION, ())
    return chain.text(places[0], _MAX_BYTES) if places else None
