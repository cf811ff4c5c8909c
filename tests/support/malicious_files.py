"""Malicious files."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

GIGABYTE = 1 << 30


class Trap:
    """Its pickle creates a file when somebody loads it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return (Path.touch, (self.path,))


def oversized_png(width: int, height: int) -> bytes:
    """A PNG whose header states a size, without pixels."""
    return png_file(width, height, zlib.compress(b""))


def png_file(width: int, height: int, data: bytes) -> bytes:
    """A PNG of this size with any bytes in place of its compressed pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        for chunk in (header, b"IDAT" + data, b"IEND")
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def chained_tiff(pages: int, then: int = 0, *, order: str = "<", big: bool = False) -> bytes:
    """A TIFF of grey pages, 8 x 8 pixels each, that share their samples.

    then: the offset that the last directory links to; the first is at `first_directory`.
    """
    mark = b"II" if order == "<" else b"MM"
    word, count, entry = ("Q", "Q", "HHQQ") if big else ("I", "H", "HHII")
    about = struct.pack(f"{order}HHH", 43, 8, 0) if big else struct.pack(f"{order}H", 42)
    length = struct.calcsize(f"{order}{count}") + 9 * struct.calcsize(f"{order}{entry}")
    length += struct.calcsize(f"{order}{word}")
    begin = first_directory(big=big)
    samples = begin + pages * length
    tags = [(256, 8), (257, 8), (258, 8), (259, 1), (262, 1), (273, samples), (277, 1), (278, 8)]
    kind = 16 if big else 4
    directory = struct.pack(f"{order}{count}", 9) + b"".join(
        struct.pack(f"{order}{entry}", tag, kind, 1, value) for tag, value in [*tags, (279, 64)]
    )
    places = [begin + page * length for page in range(pages)]
    nexts = [*places[1:], then]
    chain = b"".join(directory + struct.pack(f"{order}{word}", place) for place in nexts)
    return mark + about + struct.pack(f"{order}{word}", begin) + chain + bytes(range(64))


def first_directory(*, big: bool = False) -> int:
    """The offset of the first directory of a `chained_tiff`."""
    return 16 if big else 8


def looping_tiff() -> bytes:
    """A TIFF whose third and last directory links back to the first."""
    return chained_tiff(3, first_directory())


def write_long_header(path: Path, length: int = GIGABYTE) -> Path:
    """A .safetensors file with a header of `length` bytes, in a sparse file."""
    with path.open("wb") as file:
        file.write(length.to_bytes(8, "little") + b"{")
        file.truncate(8 + length)
    return path
