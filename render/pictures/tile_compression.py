"""Compresses the tiles of a TIFF: by deflate, by LZW, or not at all."""

import struct
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from zlib_ng import zlib_ng

from render.pictures.encoding import Compression
from render.pictures.vips import libvips

_OFFSETS, _LENGTHS = 324, 325


class TileCompression(NamedTuple):
    """A compression: its number in a TIFF, and how it encodes a tile (h, w, channels).

    is_predicted: whether the tile holds differences of neighbours (TIFF 6.0, section 14).
    """

    tag: int
    is_predicted: bool
    encode: Callable[[np.ndarray], bytes]


def _deflate(tile: np.ndarray) -> bytes:
    # Runs only: nearly as small as level 6 for photographs and dreams, in a third of the time.
    stream = zlib_ng.compressobj(6, zlib_ng.DEFLATED, 15, 9, zlib_ng.Z_RLE)
    return stream.compress(tile) + stream.flush()


def _lzw(tile: np.ndarray) -> bytes:
    """Let libtiff encode the bytes of a tile, and take them out of its file of one tile."""
    height, line = len(tile), tile[0].nbytes
    image = libvips().Image.new_from_memory(tile.data, line, height, 1, "uchar")
    image.set_type(libvips().GValue.gint_type, "concurrency", 1)
    file: bytes = image.tiffsave_buffer(
        compression="lzw",
        predictor="none",
        tile=True,
        tile_width=line,
        tile_height=height,
        keep="none",
    )
    (directory,) = struct.unpack_from("<I", file, 4)
    (count,) = struct.unpack_from("<H", file, directory)
    entries = (struct.unpack_from("<HHII", file, directory + 2 + 12 * n) for n in range(count))
    values = {tag: value for tag, _, _, value in entries}
    return file[values[_OFFSETS] : values[_OFFSETS] + values[_LENGTHS]]


TILE_COMPRESSIONS: Mapping[Compression, TileCompression] = MappingProxyType(
    {
        "none": TileCompression(1, False, np.ndarray.tobytes),
        "lzw": TileCompression(5, True, _lzw),
        "deflate": TileCompression(8, True, _deflate),
    }
)
