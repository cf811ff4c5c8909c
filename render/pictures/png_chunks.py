"""Reads what a PNG says about its samples in chunks that libvips does not read.

The orientation is in an `eXIf` chunk before or after the samples, in ImageMagick's text `Raw
profile type exif`, or in XMP; the first of these that states one counts. The colours are stated by
`cICP`, `iCCP`, `sRGB`, or `gAMA` and `cHRM`, in this order (PNG, third edition, section 13.12).
"""

import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from types import MappingProxyType
from typing import BinaryIO

from render.pictures.xmp import xmp_orientation

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

_MAX_CHUNK_BYTES = 2**24
"""Longer chunks of metadata are skipped."""

_MAX_CHUNKS = 1024
"""Most chunks of metadata that are read; later ones are left unread."""

_MAX_TEXT_BYTES = 2**22
"""Longer texts are cut off. A small chunk can inflate to a thousand times its size."""

_EXIF_PROFILES = (b"Raw profile type exif", b"Raw profile type APP1", b"Raw profile type app1")
_XMP_TEXTS = (b"XML:com.adobe.xmp", b"Raw profile type xmp")
DESCRIPTION = b"Description"
"""The keyword of the text that describes a picture."""

_KEYWORDS = frozenset({*_EXIF_PROFILES, *_XMP_TEXTS, DESCRIPTION})

_EXIF_PREFIX = b"Exif\0\0"
_ORIENTATION_TAG = 0x0112
_SHORT, _LONG = 3, 4


@dataclass(frozen=True)
class PngChunks:
    """The metadata of a PNG: the first chunk of each kind with a right checksum.

    chunks: contents by their four-letter kinds, without texts. texts: the description, and those
    that can state an orientation, by their keywords; empty if the first of a keyword cannot be
    read.
    """

    chunks: dict[bytes, bytes] = field(default_factory=dict)
    texts: dict[bytes, bytes] = field(default_factory=dict)

    @property
    def orientation(self) -> int | None:
        """The EXIF orientation, from 1 to 8; None if no chunk states one."""
        exifs = [self.chunks.get(b"eXIf", b"")]
        exifs += [_raw_profile(self.texts[name]) for name in _EXIF_PROFILES if name in self.texts]
        for exif in exifs:
            if (orientation := _exif_orientation(exif)) is not None:
                return orientation
        for name in _XMP_TEXTS:
            text = self.texts.get(name, b"")
            xmp = _raw_profile(text) if name.startswith(b"Raw") else text
            if (orientation := xmp_orientation(xmp)) is not None:
                return orientation
        return None


def read_png_chunks(file: BinaryIO) -> PngChunks:
    """Read the metadata of a PNG from its beginning; samples are skipped.

    Damage ends the reading: it is left to the decoder. Raises OSError if the file cannot be read.
    """
    found = PngChunks()
    for kind, content in islice(_metadata_chunks(file), _MAX_CHUNKS):
        if kind in _TEXT_READERS:
            keyword, _, rest = content.partition(b"\0")
            if keyword in _KEYWORDS and keyword not in found.texts:  # before it is inflated
                found.texts[keyword] = (_TEXT_READERS[kind](rest) or b"")[:_MAX_TEXT_BYTES]
        else:
            found.chunks.setdefault(kind, content)
    return found


def _metadata_chunks(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Yield the kinds and contents of the chunks that this module reads."""
    file.seek(len(PNG_SIGNATURE))
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if kind not in _KINDS or length > _MAX_CHUNK_BYTES:
            if kind == b"IEND":
                return
            file.seek(length + 4, 1)
            continue
        content, checksum = file.read(length), file.read(4)
        if checksum == struct.pack(">I", zlib.crc32(content, zlib.crc32(kind))):
            yield kind, content


def _inflate(data: bytes) -> bytes | None:
    try:
        return zlib.decompressobj().decompress(data, _MAX_TEXT_BYTES)
    except zlib.error:
        return None


def _compressed_text(rest: bytes) -> bytes | None:
    """The text of a zTXt chunk after its keyword: a method, which is 0, and the text."""
    return _inflate(rest[1:]) if rest[:1] == b"\0" else None


def _international_text(rest: bytes) -> bytes | None:
    """The text of an iTXt chunk: two bytes about compression, language, keyword, text."""
    is_compressed, parts = rest[:1] == b"\1", rest[2:].split(b"\0", 2)
    if len(parts) < 3:
        return None
    return _inflate(parts[2]) if is_compressed else parts[2]


_TEXT_READERS: Mapping[bytes, Callable[[bytes], bytes | None]] = MappingProxyType(
    {b"tEXt": bytes, b"zTXt": _compressed_text, b"iTXt": _international_text}
)

_KINDS = {b"eXIf", b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM", *_TEXT_READERS}


def _raw_profile(text: bytes) -> bytes:
    """Decode a profile of ImageMagick: its name, its length, and hex digits in lines."""
    parts = text.split(maxsplit=2)
    try:
        return bytes.fromhex(parts[2].decode("ascii")) if len(parts) == 3 else b""
    except ValueError:
        return b""


def _exif_orientation(exif: bytes) -> int | None:
    """The orientation in the first directory of EXIF data, from 1 to 8, or None."""
    data = exif.removeprefix(_EXIF_PREFIX)
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None:
        return None
    try:
        (start,) = struct.unpack_from(f"{order}I", data, 4)
        (entries,) = struct.unpack_from(f"{order}H", data, start)
        for at in range(start + 2, start + 2 + 12 * entries, 12):
            tag, kind, _ = struct.unpack_from(f"{order}HHI", data, at)
            if tag == _ORIENTATION_TAG and kind in (_SHORT, _LONG):
                (value,) = struct.unpack_from(
                    f"{order}{'H' if kind == _SHORT else 'I'}", data, at + 8
                )
                return value if 1 <= value <= 8 else None
    except struct.error:  # cut off
        return None
    return None
