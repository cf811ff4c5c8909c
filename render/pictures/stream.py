"""Bands of samples handed to libvips as it asks for them.

libvips pulls, the bands are pushed: a thread saves what comes out of a socket while the caller's
thread iterates over the bands and fills it. So the iterator runs where its owner expects it
(exceptions and Ctrl-C included), and no more than a socket's buffer waits between the two. What
travels is a PNG without compression, the one streamable format that every build of libvips reads.
"""

import contextlib
import socket
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from render.pictures.vips import libvips

_PIECE = 2**20
"""Bytes of samples copied at once, whatever the height of a band."""


def save_stream(
    size: tuple[int, int],
    depth: int,
    bands: Iterable[np.ndarray],
    save: Callable[[Any], None],
) -> None:
    """Call `save` with a sequential libvips image of size (height, width) made of `bands`.

    The bands are (h, width, 3) arrays of uint8 (depth 8) or uint16 (depth 16), top to bottom.

    Raises what `bands` raises, ValueError if they do not add up to the picture, and what `save`
    raises (pyvips.Error when libvips fails).
    """
    reader, writer = socket.socketpair()
    with ThreadPoolExecutor(1, "encode") as pool:
        saving = pool.submit(_save, reader, save)
        with writer:
            for chunk in _png(size, depth, bands):
                try:
                    writer.sendall(chunk)
                except (BrokenPipeError, ConnectionResetError):
                    break  # libvips stopped reading; the result says why
        saving.result()


def _save(reader: socket.socket, save: Callable[[Any], None]) -> None:
    vips = libvips()
    with reader:
        try:
            source = vips.Source.new_from_descriptor(reader.fileno())
            save(
                vips.Image.pngload_source(
                    source, access="sequential", fail_on="error", unlimited=True
                )
            )
        finally:
            # Closing is not enough to wake a blocked writer: libvips has its own descriptor.
            with contextlib.suppress(OSError):  # some systems refuse once the writer has gone
                reader.shutdown(socket.SHUT_RDWR)


def _png(size: tuple[int, int], depth: int, bands: Iterable[np.ndarray]) -> Iterator[bytes]:
    """The bands as the chunks of an uncompressed PNG (ISO/IEC 15948)."""
    height, width = size
    yield b"\x89PNG\r\n\x1a\n"
    yield _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0))
    stored = zlib.compressobj(level=0)
    for lines in _lines(size, depth, bands):
        if data := stored.compress(lines.data):
            yield _chunk(b"IDAT", data)
    yield _chunk(b"IDAT", stored.flush())
    yield _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(data, zlib.crc32(kind))
    return b"".join((struct.pack(">I", len(data)), kind, data, struct.pack(">I", checksum)))


def _lines(size: tuple[int, int], depth: int, bands: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """The bands as PNG scanlines: big-endian samples after a filter byte of 0 ("none")."""
    height, width = size
    dtype = np.dtype("u1" if depth == 8 else ">u2")
    line = width * 3 * dtype.itemsize
    step = max(1, _PIECE // line)
    top = 0
    for band in bands:
        if band.dtype != dtype.newbyteorder("=") or band.shape[1:] != (width, 3):
            raise ValueError(
                f"band at row {top}: {band.dtype} {band.shape} is not (h, {width}, 3) of"
                f" {depth} bits"
            )
        if top + len(band) > height:
            raise ValueError(f"the bands hold more than the picture's {height} rows")
        for y in range(0, len(band), step):
            piece = band[y : y + step].astype(dtype, order="C")
            lines = np.zeros((len(piece), 1 + line), np.uint8)
            lines[:, 1:] = piece.view(np.uint8).reshape(len(piece), line)
            yield lines
        top += len(band)
    if top != height:
        raise ValueError(f"the bands end after {top} of {height} rows")
