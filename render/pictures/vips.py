"""Access to libvips: the lazy import, its error messages, and a way to stream pixels into it.

`save_stream` connects a Python iterator (push) to libvips (pull): a thread saves the image that it
reads from a socket, and the caller's thread writes bands to that socket. So the iterator runs in
its caller's thread, with its exceptions and Ctrl-C. At most a socket's buffer waits between the
two. The stream is a PNG without compression, a format that every build of libvips reads.
"""

import contextlib
import functools
import re
import socket
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

MAX_THREADS = 4
"""Encoders gain nothing from more, and each thread holds strips of the picture's full width."""


def libvips() -> Any:
    """Import pyvips on first use, without its operation cache and with at most MAX_THREADS.

    VIPS_CONCURRENCY can lower the number of threads. Output bytes do not depend on it.
    """
    import pyvips

    pyvips.cache_set_max(0)
    native = pyvips.vips_lib
    native.vips_concurrency_set(min(native.vips_concurrency_get(), MAX_THREADS))
    return pyvips


def error_reason(error: Exception) -> str:
    """Return the first line of a libvips error, for use within a sentence."""
    detail = str(getattr(error, "detail", "")) or str(error)
    lines = [line.strip() for line in detail.splitlines() if line.strip()]
    return lines[0] if lines else "no reason given"


@functools.cache
def can_decompress(compression: int) -> bool:
    """Whether this build of libtiff decodes a compression, given by its number in TIFF tag 259.

    The answer comes from a try, with a picture of one pixel.
    """
    entries = ((256, 1), (257, 1), (258, 8), (259, compression), (262, 1), (273, 8), (279, 8))
    directory = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    content = b"II*\0" + struct.pack("<IH", 8, len(entries)) + directory + bytes(4)
    vips = libvips()
    try:
        vips.Image.tiffload_buffer(content, fail_on="error").avg()
    except vips.Error as error:
        return not is_unsupported(error)
    return True


def is_unsupported(error: Exception) -> bool:
    """Whether a libvips error says that the file is of a kind that this build does not read."""
    return _UNSUPPORTED.search(str(getattr(error, "detail", error))) is not None


_UNSUPPORTED = re.compile(
    r"unsupported (jpeg|compression|codec|feature|color)|not (been )?(configured|implemented)"
    r"|not (been )?built|not supported",
    re.IGNORECASE,
)


_PIECE_BYTES = 2**20
"""Bytes of samples that are copied at once, whatever the height of a band."""


def save_stream(
    size: tuple[int, int],
    depth: int,
    bands: Iterable[np.ndarray],
    save: Callable[[Any], None],
) -> None:
    """Call `save` with a sequential libvips image of size (height, width) made of `bands`.

    The bands are (h, width, 3) arrays of uint8 (depth 8) or uint16 (depth 16), top to bottom.

    Raises ValueError if the bands do not match the size, pyvips.Error if libvips fails, and
    whatever `bands` and `save` raise.
    """
    reader, writer = socket.socketpair()
    with ThreadPoolExecutor(1, "encode") as pool:
        saving = pool.submit(_decode_and_save, reader, save)
        with writer:
            for chunk in _png_chunks(size, depth, bands):
                try:
                    writer.sendall(chunk)
                except (BrokenPipeError, ConnectionResetError):
                    break  # libvips stopped reading; `saving.result()` raises the reason
        saving.result()


def _decode_and_save(reader: socket.socket, save: Callable[[Any], None]) -> None:
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
            # Only a shutdown wakes a blocked writer, because libvips has its own descriptor.
            with contextlib.suppress(OSError):  # some systems raise after the writer has closed
                reader.shutdown(socket.SHUT_RDWR)


def _png_chunks(size: tuple[int, int], depth: int, bands: Iterable[np.ndarray]) -> Iterator[bytes]:
    """Yield the chunks of an uncompressed PNG (ISO/IEC 15948) of the bands."""
    height, width = size
    yield b"\x89PNG\r\n\x1a\n"
    yield _png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0))
    stored = zlib.compressobj(level=0)
    for lines in _scanlines(size, depth, bands):
        if data := stored.compress(lines.data):
            yield _png_chunk(b"IDAT", data)
    yield _png_chunk(b"IDAT", stored.flush())
    yield _png_chunk(b"IEND", b"")


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(data, zlib.crc32(kind))
    return b"".join((struct.pack(">I", len(data)), kind, data, struct.pack(">I", checksum)))


def _scanlines(
    size: tuple[int, int], depth: int, bands: Iterable[np.ndarray]
) -> Iterator[np.ndarray]:
    """Yield PNG scanlines: a filter byte of 0 ("none"), then big-endian samples."""
    height, width = size
    dtype = np.dtype("u1" if depth == 8 else ">u2")
    line = width * 3 * dtype.itemsize
    step = max(1, _PIECE_BYTES // line)
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
