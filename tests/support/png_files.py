"""PNG files with chosen chunks, which image libraries do not write."""

import struct
import zlib
from pathlib import Path

import numpy as np

Chunk = tuple[bytes, bytes]
"""The kind of a chunk, and its content."""


def write_png(
    path: Path, samples: np.ndarray, *chunks: Chunk, after: tuple[Chunk, ...] = ()
) -> Path:
    """Write samples (h, w) or (h, w, c) of uint8 or uint16; return the path.

    chunks: before the samples. after: behind them.
    """
    height, width, *bands = samples.shape
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[bands[0] if bands else 1]
    depth = 8 * samples.dtype.itemsize
    lines = samples.astype(">u2" if depth == 16 else "u1").reshape(height, -1).view("u1")
    data = np.hstack([np.zeros((height, 1), np.uint8), lines]).tobytes()
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(data)), *after, (b"IEND", b"")]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*part) for part in parts))
    return path


def png_chunk(kind: bytes, content: bytes) -> bytes:
    """The bytes of a chunk, with its checksum."""
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def exif(orientation: int, order: str = "<") -> bytes:
    """EXIF data with an orientation only."""
    head = b"II*\0" if order == "<" else b"MM\0*"
    return head + struct.pack(f"{order}IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def raw_profile(name: bytes, content: bytes) -> bytes:
    """A profile as ImageMagick writes it into texts."""
    digits = content.hex().encode()
    lines = [digits[at : at + 72] for at in range(0, len(digits), 72)]
    return b"\n".join([b"", name, b"%8d" % len(content), *lines, b""])
