"""Files as somebody makes them who means harm."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

GIGABYTE = 1 << 30


class Trap:
    """A pickle of it makes a file when it is opened."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return (Path.touch, (self.path,))


def oversized_png(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds nothing."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(b"")
    chunks = [
        struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c))
        for c in (header, data, b"IEND")
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def chained_tiff(pages: int, then: int = 0, *, order: str = "<", big: bool = False) -> bytes:
    """A TIFF of grey pages, 8 x 8 pixels each, that share their samples.

    then: where the last of its directories leads to; the first one lies at `first_directory`.
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
    """Where the first directory of a `chained_tiff` lies."""
    return 16 if big else 8


def looping_tiff() -> bytes:
    """A TIFF whose third and last directory leads back to its first."""
    return chained_tiff(3, first_directory())


def write_long_header(path: Path, length: int = GIGABYTE) -> Path:
    """A .safetensors file with a header of so many bytes, all of them there: holes on the disk."""
    with path.open("wb") as file:
        file.write(length.to_bytes(8, "little"))
        file.truncate(8 + length)
    return path
