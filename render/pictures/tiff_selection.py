"""Chooses the page of a TIFF that is the picture, and knows raw files of cameras.

A page is no picture if the file calls it a reduced version or a mask. Some files do not, so a
small page also counts as a preview if another one has its shape and at least twice its sides.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

from render.errors import PictureError
from render.pictures.tiff_directories import Directory, DirectoryChain, read_directories

_SUBFILE, _OLD_SUBFILE, _WIDTH, _HEIGHT, _COMPRESSION = 254, 255, 256, 257, 259
_PHOTOMETRIC, _SUB_DIRECTORIES, _JPEG_STREAM = 262, 330, 513

_REDUCED_OR_MASK = 0b101
"""Bits of NewSubfileType: a smaller version of another picture, or a transparency mask."""

_OLD_REDUCED = 2

_PREVIEW_SIDE = 2048
"""The longest side of a page that counts as a preview by its size. Larger pages are scans."""

_SENSOR_SPACES = frozenset({32803, 34892})
"""Photometric interpretations of raw files: behind colour filters, and linear raw."""

_SENSOR_COMPRESSIONS = frozenset({32767, 32769, 32770, 34713, 65000, 65535})
"""Compressions of raw files, by camera makers."""

_SENSOR_TAGS = frozenset({33421, 33422, 33424, 34310, 46275, 50706, 50740, 50752})
"""The pattern of colour filters (TIFF/EP), DNGVersion and DNGPrivateData, and what Kodak, Leaf,
Hasselblad and Canon keep only in raw files."""

_CR2_START = re.compile(rb"II\*\0\x10\0\0\0CR\x02", re.DOTALL)
_PHASE_ONE_START = re.compile(rb".{8}(?:IIII.waR|MMMMRaw.)", re.DOTALL)
"""How files of Canon and Phase One begin. Other TIFFs may have any samples from offset 8 on, so
two letters there are no proof."""

_MARK_END = 16

_MAX_SUB_DIRECTORIES = 64


@dataclass(frozen=True)
class TiffPages:
    """The pages of a TIFF that is no raw file.

    inner: the sub-directories of each page, and at most _MAX_SUB_DIRECTORIES of all pages.
    """

    path: Path
    directories: Sequence[Directory]
    inner: Sequence[Sequence[Directory]]

    @classmethod
    def of(cls, file: BinaryIO, path: Path) -> Self:
        """Read the pages of an open TIFF; `path` is for messages.

        Raises PictureError for raw files, and what `read_directories` raises.
        """
        directories = read_directories(file, path)
        chain = DirectoryChain.of(file)
        file.seek(0)
        start = file.read(_MARK_END)
        budget = iter(range(_MAX_SUB_DIRECTORIES))
        inner = [list(_inner(chain, one, budget)) for one in directories]
        everything = [*directories, *(one for found in inner for one in found)]
        is_marked = not chain.is_big and (_CR2_START.match(start) or _PHASE_ONE_START.match(start))
        if is_marked or any(map(_describes_sensor, everything)):
            raise PictureError(raw_message(path))
        return cls(path, directories, inner)

    @property
    def full_pages(self) -> int:
        """Pages that the file does not call reduced versions or masks."""
        return sum(map(_is_full, self.directories))

    def choose(self, page: int | None) -> int:
        """Return the index of the page to read. page: from 1; None for the picture.

        Raises PictureError if there is no such page, or if the picture is in a sub-directory.
        """
        count = len(self.directories)
        if page is not None:
            if page > count:
                raise PictureError(f"{self.path}: has no page {page}, only {count}: give another")
            return page - 1
        if not count or not self.directories[0].is_whole:
            return 0
        full = [index for index, one in enumerate(self.directories) if _is_full(one)]
        chosen = self._picture(full) if full else 0
        if self._is_inside(chosen) or (not full and any(self.inner)):
            raise PictureError(
                f"{self.path}: its pages are reduced versions of a picture inside: export that one"
            )
        return chosen

    def _picture(self, full: Sequence[int]) -> int:
        """The first of the full pages, or the largest that this is a preview of."""
        drawn = [index for index in full if _JPEG_STREAM not in self.directories[index].tags]
        first, *others = drawn or full
        size = _size(self.directories[first])
        versions = [one for one in others if _is_preview(size, _size(self.directories[one]))]
        return max(versions, key=lambda one: _size(self.directories[one]), default=first)

    def _is_inside(self, chosen: int) -> bool:
        """Whether a sub-directory of a page has a larger picture than the page."""
        width, height = _size(self.directories[chosen])
        larger = (_size(one) for one in self.inner[chosen] if _is_full(one))
        return any(wide > width and high > height for wide, high in larger)


def raw_message(path: Path) -> str:
    """The message for a raw file of a camera."""
    return f"{path}: a raw file of a camera: develop it, and export it as TIFF, PNG or JPEG"


def _inner(chain: DirectoryChain, page: Directory, budget: Iterator[int]) -> Iterator[Directory]:
    for offset, _ in zip(page.tags.get(_SUB_DIRECTORIES, ()), budget, strict=False):
        yield chain.directory(offset)


def _describes_sensor(directory: Directory) -> bool:
    return bool(
        _SENSOR_TAGS & directory.tags.keys()
        or _SENSOR_SPACES.intersection(directory.values(_PHOTOMETRIC, 0))
        or _SENSOR_COMPRESSIONS.intersection(directory.values(_COMPRESSION, 1))
    )


def _is_full(directory: Directory) -> bool:
    return directory.is_whole and not (
        directory.number(_SUBFILE, 0) & _REDUCED_OR_MASK
        or directory.number(_OLD_SUBFILE, 0) == _OLD_REDUCED
    )


def _size(directory: Directory) -> tuple[int, int]:
    """Width and height."""
    return directory.largest(_WIDTH, 0), directory.largest(_HEIGHT, 0)


def _is_preview(small: tuple[int, int], large: tuple[int, int]) -> bool:
    """Whether a page of one size is a preview of a page of another, both (width, height)."""
    (width, height), (wide, high) = small, large
    is_smaller = 2 * width <= wide and 2 * height <= high and max(small) <= _PREVIEW_SIDE
    # Rounded to whole pixels, the shape differs a little.
    return is_smaller and abs(width * high - height * wide) <= max(wide, high)
