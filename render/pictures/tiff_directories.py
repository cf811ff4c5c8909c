"""Checks the directories of a TIFF before a decoder reads them.

The header has the offset of the first directory, and each directory ends with the offset of the
next, or with 0 (TIFF 6.0, section 2). In a malicious file they form a loop, and a decoder that
counts pages never ends. BigTIFF has offsets of 8 bytes instead of 4
(http://www.awaresystems.be/imaging/tiff/bigtiff.html).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, Self

from render.errors import PictureError

MAX_DIRECTORIES = 512
"""Most pages of a file. Only the first is decoded, but libtiff counts all of them in quadratic
time: seconds for a thousand."""


MAX_STRIP_PIXELS = 2**26
"""Most pixels in a strip that must be decoded as a whole, in memory."""


_BIGTIFF_VERSION = 43


_WIDTH, _HEIGHT, _COMPRESSION, _PHOTOMETRIC, _ROWS, _PLANES = 256, 257, 259, 262, 278, 284

_TILE_WIDTH = 322

_OLD_JPEG, _YCBCR, _SEPARATE = 6, 6, 2


_TYPE_BYTES = {3: 2, 4: 4, 16: 8}
"""Bytes of a value of type SHORT, LONG or LONG8, by the number of the type."""


_Tags = Mapping[int, Sequence[int]]


def check_directories(path: Path) -> None:
    """Check a TIFF file for directories that would make a decoder hang or run out of memory.

    Raises PictureError if the directories form a loop, if there are more than MAX_DIRECTORIES, or
    if the first page has strips above MAX_STRIP_PIXELS that must be decoded as a whole. Raises
    OSError if the file cannot be read. Other damage is left to the decoder.
    """
    with path.open("rb") as file:
        chain = _DirectoryChain.of(file)
        seen: set[int] = set()
        for offset in chain.offsets():
            if offset in seen:
                raise PictureError(
                    f"{path}: its directories form a loop: copy or export the picture again"
                )
            if len(seen) == MAX_DIRECTORIES:
                raise PictureError(
                    f"{path}: has more than {MAX_DIRECTORIES} pages: export the one that is meant"
                )
            if not seen:
                _check_strips(path, chain.tags(offset))
            seen.add(offset)


def _check_strips(path: Path, tags: _Tags) -> None:
    """Check strips that libvips decodes as a whole. Other strips are decoded row by row."""

    def most(tag: int, usual: int) -> int:
        # A tag can occur twice, and it is not known which value a decoder uses.
        return max(tags.get(tag, [usual]))

    is_held = (
        _SEPARATE in tags.get(_PLANES, ())
        or _OLD_JPEG in tags.get(_COMPRESSION, ())
        or _YCBCR in tags.get(_PHOTOMETRIC, ())
    )
    width, height = most(_WIDTH, 0), most(_HEIGHT, 0)
    rows = min(height, most(_ROWS, height))
    if is_held and _TILE_WIDTH not in tags and width * rows > MAX_STRIP_PIXELS:
        raise PictureError(
            f"{path}: {width} x {rows} pixels in one strip can only be decoded in one piece:"
            " save it in smaller strips, or its channels side by side"
        )


@dataclass(frozen=True)
class _DirectoryChain:
    """The chain of directories of an open TIFF file."""

    file: BinaryIO
    order: Literal["little", "big"]
    is_big: bool

    @classmethod
    def of(cls, file: BinaryIO) -> Self:
        order: Literal["little", "big"] = "little" if file.read(2) == b"II" else "big"
        return cls(file, order, int.from_bytes(file.read(2), order) == _BIGTIFF_VERSION)

    def offsets(self) -> Iterator[int]:
        """Yield the offset of each directory in order; endless if they form a loop."""
        self.file.seek(self._word)
        while offset := self._number(self._word):
            yield offset
            entries = self._entries(offset)
            if entries is None:
                return
            self.file.seek(offset + self._head + self._length * entries)

    def tags(self, offset: int) -> _Tags:
        """Return the single-number values of a directory by tag; a tag can occur twice."""
        found: dict[int, list[int]] = {}
        for _ in range(self._entries(offset) or 0):
            entry = self.file.read(self._length)
            if len(entry) < self._length:
                break
            tag, kind = (int.from_bytes(entry[at : at + 2], self.order) for at in (0, 2))
            if size := _TYPE_BYTES.get(kind):
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

    def _entries(self, offset: int) -> int | None:
        self.file.seek(offset)
        return self._number(self._head)

    def _number(self, length: int) -> int | None:
        """Read the next number; None at the end of the file."""
        content = self.file.read(length)
        return int.from_bytes(content, self.order) if len(content) == length else None
