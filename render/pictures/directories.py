"""The chain of a TIFF's directories, walked before a decoder follows it.

TIFF 6.0, section 2: the header names the first directory, and each ends with the place of the next,
or with 0. A file may send whoever counts its pages round and round. BigTIFF has 8 bytes where TIFF
has 4 (http://www.awaresystems.be/imaging/tiff/bigtiff.html).
"""

from pathlib import Path
from typing import BinaryIO, Literal

from render.errors import PictureError

MAX_DIRECTORIES = 512
"""Pages, at most. Only the first is read, but libtiff counts them all, in a time that grows with
the square of their number: seconds for a thousand."""

_CLASSIC, _BIG = 42, 43

_Order = Literal["little", "big"]


def check_directories(path: Path) -> None:
    """PictureError for a TIFF whose directories lead in a circle, or are absurdly many.

    What is damaged otherwise is left to the decoder. Raises OSError.
    """
    with path.open("rb") as file:
        order: _Order = "little" if file.read(2) == b"II" else "big"
        is_big = _number(file, 2, order) == _BIG
        word = 8 if is_big else 4
        file.seek(8 if is_big else 4)
        seen: set[int] = set()
        while place := _number(file, word, order):
            if place in seen:
                raise PictureError(
                    f"{path}: its directories lead in a circle: copy or export the picture again"
                )
            seen.add(place)
            if len(seen) > MAX_DIRECTORIES:
                raise PictureError(
                    f"{path}: has more than {MAX_DIRECTORIES} pages: export the one that is meant"
                )
            file.seek(place)
            entries = _number(file, 8 if is_big else 2, order)
            if entries is None:
                return
            file.seek(place + (8 + 20 * entries if is_big else 2 + 12 * entries))


def _number(file: BinaryIO, length: int, order: _Order) -> int | None:
    """The next number; None where the file ends."""
    found = file.read(length)
    return int.from_bytes(found, order) if len(found) == length else None
