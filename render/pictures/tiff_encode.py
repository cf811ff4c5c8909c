"""Encodes tiled TIFF files with a pyramid of smaller sizes in subifds.

The file is classic, or a BigTIFF where 32-bit offsets may not suffice. Each tile is deflated on its
own, in any thread, after a horizontal predictor, which print software reads. Instead it may be
compressed by LZW, or not at all.
"""

import functools
import struct
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from render.geometry.rect import Size
from render.pictures.bands import BandStream, Encoders
from render.pictures.colour_profile import srgb_profile
from render.pictures.encoding import Compression, Encoding
from render.pictures.output_format import Labels
from render.pictures.pyramid import pyramid_strips
from render.pictures.tile_compression import TILE_COMPRESSIONS, TileCompression

_TILE = 256

_CLASSIC_TIFF_BYTES = 2**32 - 2**26
"""A classic TIFF has 32-bit offsets; some space is reserved for directories."""

_SHORT, _LONG, _LONG8 = 3, 4, 16
_TYPES = {_SHORT: "H", _LONG: "I", _LONG8: "Q"}


class Patch(NamedTuple):
    """Bytes that replace earlier ones of a file, which were not known yet."""

    offset: int
    content: bytes


class _Entry(NamedTuple):
    """An entry of a directory: the tag, the number of its type, how many values, and the values."""

    tag: int
    kind: int
    length: int
    values: bytes


def needs_bigtiff(height: int, width: int, depth: int, channels: int = 3) -> bool:
    """Whether a pyramid of this size, uncompressed, may be too large for a classic TIFF."""
    padded = (height + _TILE) * (width + _TILE)
    return padded * channels * (depth // 8) * 4 // 3 > _CLASSIC_TIFF_BYTES


def tiff_parts(
    picture: BandStream, labels: Labels, encoders: Encoders, encoding: Encoding
) -> Iterator[bytes | Patch]:
    """Yield the parts of the file in order; last, the place of its first directory."""
    layout = _Layout(
        needs_bigtiff(picture.height, picture.width, picture.depth, picture.channels),
        _Samples(picture.channels, picture.depth, encoding.compression, encoding.profile),
    )
    sizes = _pyramid_sizes(picture.height, picture.width)
    places: list[list[tuple[int, int]]] = [[] for _ in sizes]
    yield layout.header
    end = len(layout.header)
    for level, tile in encoders.ordered(_tile_calls(picture, sizes, encoding)):
        places[level].append((end, len(tile)))
        yield tile
        end += len(tile)
    subifds: list[int] = []
    for level in range(len(sizes) - 1, -1, -1):
        yield bytes(end % 2)  # directories begin at even offsets
        end += end % 2
        entries = layout.tile_entries(sizes[level], places[level], level > 0)
        if level == 0:
            entries += layout.label_entries(labels, subifds[::-1])
        subifds.append(end)
        directory = layout.directory(entries, end)
        yield directory
        end += len(directory)
    yield layout.first_directory(subifds[-1])


def _pyramid_sizes(height: int, width: int) -> list[Size]:
    sizes = [(height, width)]
    while max(sizes[-1]) > _TILE:
        sizes.append((max(1, sizes[-1][0] // 2), max(1, sizes[-1][1] // 2)))
    return sizes


def _tile_calls(
    picture: BandStream, sizes: list[Size], encoding: Encoding
) -> Iterator[Callable[[], tuple[int, bytes]]]:
    compress = TILE_COMPRESSIONS[encoding.compression]
    for strip in pyramid_strips(picture, sizes, _TILE):
        for left in range(0, sizes[strip.level][1], _TILE):
            tile = strip.samples[:, left : left + _TILE]
            yield functools.partial(_encode, strip.level, tile, compress)


def _encode(level: int, tile: np.ndarray, compress: TileCompression) -> tuple[int, bytes]:
    """Compress a tile (h, w, channels), and return it with its level."""
    height, width, channels = tile.shape
    # Beyond the picture zeros: nothing is smaller.
    padded = np.zeros((_TILE, _TILE, channels), tile.dtype.newbyteorder("<"))
    padded[:height, :width] = tile
    if compress.is_predicted:
        padded[:height, 1:width] -= tile[:, :-1]
    return level, compress.encode(padded)


class _Samples(NamedTuple):
    """What the samples of all levels have in common. profile: of CMYK; None for sRGB."""

    channels: int
    depth: int
    compression: Compression
    profile: bytes | None

    def entries(self) -> list[_Entry]:
        """The entries of every level."""
        compress, inks = TILE_COMPRESSIONS[self.compression], self.channels == 4
        return [
            _entry(258, _SHORT, *[self.depth] * self.channels),
            _entry(259, _SHORT, compress.tag),
            _entry(262, _SHORT, 5 if inks else 2),  # separated, or RGB
            _entry(277, _SHORT, self.channels),
            _entry(339, _SHORT, *[1] * self.channels),  # unsigned integers
            *([_entry(317, _SHORT, 2)] if compress.is_predicted else []),  # horizontal predictor
            *([_entry(332, _SHORT, 1)] if inks else []),  # the inks are CMYK
        ]


class _Layout:
    """The numbers of a classic TIFF or of a BigTIFF, little-endian."""

    def __init__(self, is_big: bool, samples: _Samples) -> None:
        self._is_big, self._samples = is_big, samples
        self._offset = "Q" if is_big else "I"
        self._offset_type = _LONG8 if is_big else _LONG

    @property
    def header(self) -> bytes:
        """The header, without the place of the first directory."""
        return struct.pack("<2sHHHQ", b"II", 43, 8, 0, 0) if self._is_big else b"II*\0" + bytes(4)

    def first_directory(self, offset: int) -> Patch:
        """The place of the first directory."""
        size = struct.calcsize(self._offset)
        return Patch(len(self.header) - size, struct.pack(f"<{self._offset}", offset))

    def tile_entries(
        self, size: Size, places: list[tuple[int, int]], is_reduced: bool
    ) -> list[_Entry]:
        """The entries of one level. places: (offset, bytes) of its tiles."""
        return [
            _entry(254, _LONG, int(is_reduced)),
            _entry(256, _LONG, size[1]),
            _entry(257, _LONG, size[0]),
            *self._samples.entries(),
            _entry(274, _SHORT, 1),
            _entry(284, _SHORT, 1),  # the samples of a pixel are together
            _entry(322, _SHORT, _TILE),
            _entry(323, _SHORT, _TILE),
            _entry(324, self._offset_type, *(offset for offset, _ in places)),
            _entry(325, _LONG, *(length for _, length in places)),
        ]

    def label_entries(self, labels: Labels, subifds: list[int]) -> list[_Entry]:
        """The entries of the first directory only. subifds: offsets, from large to small."""
        per_inch = Fraction(labels.pixels_per_mm * 25.4).limit_denominator(10_000)
        text = labels.identity.encode("ascii") + b"\0"
        profile = self._samples.profile or srgb_profile()
        resolution = struct.pack("<II", per_inch.numerator, per_inch.denominator)
        entries = [
            _Entry(270, 2, len(text), text),
            _Entry(282, 5, 1, resolution),
            _Entry(283, 5, 1, resolution),
            _entry(296, _SHORT, 2),  # inches
            _Entry(34675, 7, len(profile), profile),
        ]
        return entries + ([_entry(330, self._offset_type, *subifds)] if subifds else [])

    def directory(self, entries: list[_Entry], offset: int) -> bytes:
        """A directory at an offset of the file, and after it the values that do not fit into it."""
        inline = struct.calcsize(self._offset)
        count = struct.pack("<Q" if self._is_big else "<H", len(entries))
        after = offset + len(count) + len(entries) * (4 + 2 * inline) + inline
        fields, long_values = [], bytearray()
        for entry in sorted(entries):
            values = entry.values
            if len(values) > inline:
                values = struct.pack(f"<{self._offset}", after + len(long_values))
                long_values += entry.values + bytes(len(entry.values) % 2)
            field = struct.pack(f"<HH{self._offset}", entry.tag, entry.kind, entry.length)
            fields.append(field + values.ljust(inline, b"\0"))
        return count + b"".join(fields) + bytes(inline) + bytes(long_values)


def _entry(tag: int, kind: int, *values: int) -> _Entry:
    return _Entry(tag, kind, len(values), struct.pack(f"<{len(values)}{_TYPES[kind]}", *values))
