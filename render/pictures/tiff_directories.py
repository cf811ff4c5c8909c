"""Reads the directories of a TIFF before a decoder does.

The header has the offset of the first directory, and each directory ends with the offset of the
next, or with 0 (TIFF 6.0, section 2). In a malicious file they form a loop, and a decoder that
counts pages never ends. BigTIFF has offsets of 8 bytes instead of 4
(http://www.awaresystems.be/imaging/tiff/bigtiff.html).
"""

import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal, Self

from render.errors import PictureError

MAX_DIRECTORIES = 512
"""Most pages of a file. Only one is decoded, but libtiff counts all of them in quadratic time:
seconds for a thousand."""


_MAX_ENTRIES = 4096
"""Most entries of a directory, as in libtiff."""


_MAX_VALUES = 1024
"""Most values of an entry that are read."""


MPO_ENTRIES = 0xB002
"""The tag of the index of an MPO file, which has the form of a directory (CIPA DC-007)."""


_TAGS = frozenset({*range(254, 260), 262, 277, 278, 284, 322, 330, 332, 334, 338, 339, MPO_ENTRIES})
"""Tags with numbers that are read. Of other tags only the presence counts."""


_BIGTIFF_VERSION = 43


_ASCII = 2


_TYPES = {1: "B", 3: "H", 4: "I", 7: "B", 13: "I", 16: "Q", 18: "Q"}
"""Formats of `struct` for BYTE, SHORT, LONG, UNDEFINED, IFD, LONG8 and IFD8, by their numbers."""


@dataclass(frozen=True)
class Directory:
    """A directory: the whole numbers of its entries by tag, without those that nobody reads.

    A tag can occur twice, and it is not known which value a decoder uses, so `tags` has both.
    is_whole: whether everything in it could be read. places: the offsets of the entries by tag.
    """

    tags: Mapping[int, tuple[int, ...]]
    is_whole: bool
    places: Mapping[int, tuple[int, ...]] = field(default_factory=dict)

    def values(self, tag: int, default: int) -> tuple[int, ...]:
        """The values of a tag, or the default alone."""
        return self.tags.get(tag) or (default,)

    def number(self, tag: int, default: int) -> int:
        """The first value of a tag."""
        return self.values(tag, default)[0]

    def largest(self, tag: int, default: int) -> int:
        """The largest value of a tag."""
        return max(self.values(tag, default))


def read_directories(file: BinaryIO, path: Path) -> list[Directory]:
    """Read the chain of directories of an open TIFF; `path` is for messages.

    Raises PictureError if they form a loop, or if there are more than MAX_DIRECTORIES. Other damage
    is left to the decoder: a directory that could not be read is not whole.
    """
    chain = DirectoryChain.of(file)
    found: dict[int, Directory] = {}
    for offset in chain.offsets():
        if offset in found:
            raise PictureError(
                f"{path}: its directories form a loop: copy or export the picture again"
            )
        if len(found) == MAX_DIRECTORIES:
            raise PictureError(
                f"{path}: has more than {MAX_DIRECTORIES} pages: export the one that is meant"
            )
        found[offset] = chain.directory(offset)
    return list(found.values())


@dataclass(frozen=True)
class DirectoryChain:
    """The chain of directories of an open file, or of another stream that begins like a TIFF."""

    file: BinaryIO
    order: Literal["little", "big"]
    is_big: bool
    end: int

    @classmethod
    def of(cls, file: BinaryIO) -> Self:
        """Read the byte order and the version, with which the stream begins."""
        end = file.seek(0, os.SEEK_END)
        file.seek(0)
        order: Literal["little", "big"] = "little" if file.read(2) == b"II" else "big"
        is_big = int.from_bytes(file.read(2), order) == _BIGTIFF_VERSION
        return cls(file, order, is_big, end)

    def offsets(self) -> Iterator[int]:
        """Yield the offset of each directory in order; endless if they form a loop."""
        self.file.seek(self._word)
        while offset := self._number(self._word):
            yield offset
            entries = self._entries(offset)
            if entries is None:
                return
            self._seek(offset + self._head + self._length * entries)

    def directory(self, offset: int) -> Directory:
        """Read the directory at an offset."""
        count = self._entries(offset)
        if count is None or count > _MAX_ENTRIES:
            return Directory({}, is_whole=False)
        start = self.file.tell()
        block = self.file.read(self._length * count)
        is_whole = len(block) == self._length * count
        found: dict[int, tuple[int, ...]] = {}
        places: dict[int, tuple[int, ...]] = {}
        layout = self._sign + ("HHQ8s" if self.is_big else "HHI4s")
        entries = block[: len(block) - len(block) % self._length]
        for index, entry in enumerate(struct.iter_unpack(layout, entries)):
            tag, kind, number, content = entry
            places[tag] = (*places.get(tag, ()), start + index * self._length)
            known = found.setdefault(tag, ())
            if tag in _TAGS and len(known) <= _MAX_VALUES:
                values = self._values(kind, number, content)
                is_whole &= values is not None
                found[tag] = known + (values or ())
        return Directory(found, is_whole, places)

    def text(self, place: int, limit: int) -> bytes | None:
        """The text of the entry at a place, without its final zero.

        None for an entry of another type, for more than `limit` bytes, and if it is cut off.
        """
        self._seek(place)
        entry = self.file.read(self._length)
        if len(entry) < self._length:
            return None
        layout = self._sign + ("HHQ8s" if self.is_big else "HHI4s")
        _, kind, count, content = struct.unpack(layout, entry)
        if kind != _ASCII or count > limit:
            return None
        if count > self._word:
            self._seek(int.from_bytes(content, self.order))
            content = self.file.read(count)
        return bytes(content[:count]).rstrip(b"\0") if len(content) >= count else None

    def short_entry(self, tag: int, value: int) -> bytes:
        """The bytes of an entry of one SHORT."""
        layout = self._sign + ("HHQH6x" if self.is_big else "HHIH2x")
        return struct.pack(layout, tag, 3, 1, value)

    def _values(self, kind: int, count: int, content: bytes) -> tuple[int, ...] | None:
        """Return the numbers of an entry: none for other types, None if they are missing."""
        if kind not in _TYPES or count > _MAX_VALUES:
            return ()
        layout = f"{self._sign}{count}{_TYPES[kind]}"
        size = struct.calcsize(layout)
        if size > self._word:
            self._seek(int.from_bytes(content, self.order))
            content = self.file.read(size)
        return struct.unpack_from(layout, content) if len(content) >= size else None

    def _seek(self, offset: int) -> None:
        """Go to an offset, or to the end if that is before: systems refuse huge offsets."""
        self.file.seek(min(offset, self.end))

    @property
    def _sign(self) -> str:
        return "<" if self.order == "little" else ">"

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
        self._seek(offset)
        return self._number(self._head)

    def _number(self, length: int) -> int | None:
        """Read the next number; None at the end of the file."""
        content = self.file.read(length)
        return int.from_bytes(content, self.order) if len(content) == length else None
