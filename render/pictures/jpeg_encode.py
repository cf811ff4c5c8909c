"""Encodes JPEG files in strips of rows.

A strip is a whole number of restart intervals, so it can be encoded on its own, in any thread. The
width alone gives the height of a strip.
"""

import functools
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np

from render.pictures.bands import BandStream, Encoders
from render.pictures.colour_profile import srgb_profile
from render.pictures.encoding import Chroma, Encoding
from render.pictures.output_format import UNSTATED_DPI, Labels
from render.pictures.vips import libvips

_BLOCK = {"4:4:4": 8, "4:2:0": 16}
"""Rows and columns that are coded together."""

_CYCLE = 8
"""Restart markers count from 0 to 7. A strip has a multiple of 8, so that each begins at 0."""

_STRIP_PIXELS = 1 << 18

_QUALITY = 95

_FRAME, _SCAN, _COMMENT, _ADOBE = 0xC0, 0xDA, 0xFE, 0xEE

_SEGMENT_BYTES = 0xFFFF - 2
"""The most bytes of a segment's content."""

_PROFILE_NAME = b"ICC_PROFILE\0"


def jpeg_parts(
    picture: BandStream, labels: Labels, encoders: Encoders, encoding: Encoding
) -> Iterator[bytes]:
    """Yield the parts of the file in order."""
    cycle = _BLOCK[encoding.chroma] * _CYCLE
    rows = cycle * max(1, _STRIP_PIXELS // (cycle * picture.width))
    quality = _QUALITY if encoding.quality is None else encoding.quality
    strip_of = functools.partial(_strip, quality=quality, chroma=encoding.chroma)
    calls = (functools.partial(strip_of, block) for block in picture.blocks(rows))
    for number, strip in enumerate(encoders.ordered(calls)):
        tables, scan = _split(strip, picture.height)
        head = b"\xff\xd8" + _labels(labels, encoding.profile) + tables
        yield head if number == 0 else b"\xff\xd7"
        yield scan
    yield b"\xff\xd9"


def jpeg_tile(samples: np.ndarray, quality: int, profile: bytes) -> bytes:
    """Encode a small picture (h, w, 3) of uint8, with an ICC profile."""
    image = _image(samples)
    image.set_type(libvips().GValue.blob_type, "icc-profile-data", profile)
    encoded: bytes = image.jpegsave_buffer(Q=quality, subsample_mode="off", keep="icc")
    return encoded


def _image(samples: np.ndarray) -> Any:
    height, width, channels = samples.shape
    image = libvips().Image.new_from_memory(
        np.ascontiguousarray(samples).data, width, height, channels, "uchar"
    )
    if channels == 4:
        image = image.copy(interpretation="cmyk")
    # The caller has threads of its own.
    image.set_type(libvips().GValue.gint_type, "concurrency", 1)
    return image


def _strip(samples: np.ndarray, quality: int, chroma: Chroma) -> bytes:
    interval = -(-samples.shape[1] // _BLOCK[chroma])
    mode = "off" if chroma == "4:4:4" else "on"
    encoded: bytes = _image(samples).jpegsave_buffer(
        Q=quality, subsample_mode=mode, restart_interval=interval, keep="none"
    )
    return encoded


def _split(strip: bytes, height: int) -> tuple[bytes, bytes]:
    """Split a strip's file into its tables, changed to the picture's height, and coded pixels."""
    tables, at = bytearray(), 2
    while True:
        marker, length = strip[at + 1], struct.unpack_from(">H", strip, at + 2)[0] + 2
        segment = bytearray(strip[at : at + length])
        if marker == _FRAME:
            struct.pack_into(">H", segment, 5, height)
        # That of Adobe says how the inks are stored; only CMYK has it.
        if marker == _ADOBE or not 0xE0 <= marker <= 0xEF:
            tables += segment
        at += length
        if marker == _SCAN:
            return bytes(tables), strip[at:-2]


def _labels(labels: Labels, profile: bytes | None) -> bytes:
    """Return the segments for the resolution, the identity and the colour profile.

    An identity that is too long for Exif stands in comments: one text, in pieces.

    profile: of CMYK samples, which JFIF does not allow; None for sRGB.
    """
    dpi = UNSTATED_DPI if labels.dpi is None else labels.dpi
    # Whole numbers only; Exif has the exact resolution. Above 65535 only its ratio is stated.
    density = round(dpi)
    unit = (1, density, density) if density < 1 << 16 else (0, 1, 1)
    jfif = _segment(0xE0, b"JFIF\0" + struct.pack(">HBHHBB", 0x0102, *unit, 0, 0))
    identity, comments = labels.identity.encode("ascii"), b""
    exif = exif_block(dpi, identity)
    if len(exif) > _SEGMENT_BYTES:
        exif = exif_block(dpi, b"")
        for start in range(0, len(identity), _SEGMENT_BYTES):
            comments += _segment(_COMMENT, identity[start : start + _SEGMENT_BYTES])
    head = (b"" if profile else jfif) + _segment(0xE1, exif)
    return head + _profile_segments(profile or srgb_profile()) + comments


def _profile_segments(profile: bytes) -> bytes:
    """The segments that hold a profile, in pieces (ICC.1, B.4)."""
    most = _SEGMENT_BYTES - len(_PROFILE_NAME) - 2
    pieces = [profile[start : start + most] for start in range(0, len(profile), most)]
    return b"".join(
        _segment(0xE2, _PROFILE_NAME + bytes((number, len(pieces))) + piece)
        for number, piece in enumerate(pieces, 1)
    )


def exif_block(dpi: float, identity: bytes) -> bytes:
    """An Exif block with a resolution, and an identity as the description of the picture."""
    text = identity + b"\0"
    # Four entries of 12 bytes, the resolution, then the text.
    start = 8 + 2 + 4 * 12 + 4
    count, at = len(text), start + 8
    inline = struct.pack(">4s", text) if count <= 4 else struct.pack(">I", at)
    entries = (
        struct.pack(">HHI", 0x010E, 2, count) + inline,
        struct.pack(">HHII", 0x011A, 5, 1, start),
        struct.pack(">HHII", 0x011B, 5, 1, start),
        struct.pack(">HHIHH", 0x0128, 3, 1, 2, 0),
    )
    resolution = struct.pack(">II", round(dpi * 1000), 1000)
    directory = struct.pack(">H", len(entries)) + b"".join(entries) + bytes(4)
    return b"Exif\0\0MM\0*" + struct.pack(">I", 8) + directory + resolution + text


def _segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data
