"""A TIFF's directories, looked at before a decoder follows them.

TIFF 6.0, section 2: the header names the first directory, and each ends with the place of the next,
or with 0. A file may send whoever counts its pages round and round. BigTIFF has 8 bytes where TIFF
has 4 (http://www.awaresystems.be/imaging/tiff/bigtiff.html).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, Self

from render.errors import PictureError

MAX_DIRECTORIES = 512
"""Pages, at most. Only the first is read, but libtiff counts them all, in a time that grows with
the square of their number: seconds for a thousand."""


MAX_HELD_STRIP = 2**26
"""Pixels of a strip that must be decoded whole, in memory."""


_BIG = 43


_WIDTH, _HEIGHT, _COMPRESSION, _PHOTOMETRIC, _ROWS, _PLANES = 256, 257, 259, 262, 278, 284

_TILE_WIDTH = 322

_OLD_JPEG, _YCBCR, _SEPARATE = 6, 6, 2


_SIZES = {3: 2, 4: 4, 16: 8}
"""Bytes of the kinds of numbers that matter: SHORT, LONG, LONG8."""


_Tags = Mapping[int, Sequence[int]]


def check_directories(path: Path) -> None:
    """PictureError for a TIFF whose directories lead in a circle or are absurdly many, or whose
    first one makes its decoder hold too much.

    What is damaged otherwise is left to the decoder. Raises OSError.
    """
    with path.open("rb") as file:
        chain = _Chain.of(file)
        seen: set[int] = set()
        for place in chain.places():
            if place in seen:
                raise PictureError(
                    f"{path}: its directories lead in a circle: copy or export the picture again"
                )
            if len(seen) == MAX_DIRECTORIES:
                raise PictureError(
                    f"{path}: has more than {MAX_DIRECTORIES} pages: export the one that is meant"
                )
            if not seen:
                _check_strips(path, chain.tags(place))
            seen.add(place)


def _check_strips(path: Path, tags: _Tags) -> None:
    """Strips are decoded row by row, but for what libvips can only have whole from libtiff."""

    def most(tag: int, usual: int) -> int:
        # Which of two values counts is the decoder's secret.
        return max(tags.get(tag, [usual]))

    is_held = (
        _SEPARATE in tags.get(_PLANES, ())
        or _OLD_JPEG in tags.get(_COMPRESSION, ())
        or _YCBCR in tags.get(_PHOTOMETRIC, ())
    )
    width, height = most(_WIDTH, 0), most(_HEIGHT, 0)
    rows = min(height, most(_ROWS, height))
    if is_held and _TILE_WIDTH not in tags and width * rows > MAX_HELD_STRIP:
        raise PictureError(
            f"{path}: {width} x {rows} pixels in one strip can only be decoded in one piece:"
            " save it in smaller strips, or its channels side by side"
        )


@dataclass(frozen=True)
class _Chain:
    """The directories of an open file."""

    file: BinaryIO
    order: Literal["little", "big"]
    is_big: bool

    @classmethod
    def of(cls, file: BinaryIO) -> Self:
        order: Literal["little", "big"] = "little" if file.read(2) == b"II" else "big"
        return cls(file, order, int.from_bytes(file.read(2), order) == _BIG)

    def places(self) -> Iterator[int]:
        """Where they lie, in their order, as long as the file says; maybe for ever."""
        self.file.seek(self._word)
        while place := self._number(self._word):
            yield place
            entries = self._entries(place)
            if entries is None:
                return
            self.file.seek(place + self._head + self._length * entries)

    def tags(self, place: int) -> _Tags:
        """The numbers of a directory that stand alone, by their tags."""
        found: dict[int, list[int]] = {}
        for _ in range(self._entries(place) or 0):
            entry = self.file.read(self._length)
            if len(entry) < self._length:
                break
            tag, kind = (int.from_bytes(entry[at : at + 2], self.order) for at in (0, 2))
            if size := _SIZES.get(kind):
                value = entry[4 + self._word :][:size]
                found.setdefault(tag, []).append(int.from_bytes(value, self.order))
        return found

    @property
    def _word(self) -> int:
        return 8 if self.is_big else 4

    @property
    def _head(self) -> int:
        return 8 if self.is_big else 2

    @property
    def _length(self) -> int:
        return 20 if self.is_big else 12

    def _entries(self, place: int) -> int | None:
        self.file.seek(place)
        return self._number(self._head)

    def _number(self, length: int) -> int | None:
        """The next number; None where the file ends."""
        found = self.file.read(length)
        return int.from_bytes(found, self.order) if len(found) == length else None
