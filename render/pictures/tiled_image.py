"""Images stored as tiles: written tile by tile, read by rectangle from files or object stores.

A tile set holds some tiles of a grid. Every tile has a slot of the same size, so the offset of any
row is known in advance, and one ranged read fetches any rows of a tile. Every row ends with its own
checksum, so that any read is checked, and needs no second one.
"""

import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np

from render.errors import DamagedTiles
from render.geometry.grid import Grid
from render.geometry.rect import Rect

CHANNELS = 3


Samples = np.ndarray[tuple[int, int, int], np.dtype[np.generic]]


@dataclass(frozen=True)
class TileLayout:
    """Byte offsets in a tile set: `tiles` in this order, each (h, w, 3) of `dtype`.

    A row is its samples and their CRC-32, which also covers the numbers of the tile and the row.
    has_checksums: False for files of earlier versions, which have only the samples.
    """

    grid: Grid
    dtype: str
    tiles: tuple[int, ...]
    has_checksums: bool = True

    @cached_property
    def _slot_bytes(self) -> int:
        rows, columns = min(self.grid.tile, self.grid.height), min(self.grid.tile, self.grid.width)
        return rows * self._row_type(columns).itemsize

    @cached_property
    def _slot_index(self) -> dict[int, int]:
        return {tile: index for index, tile in enumerate(self.tiles)}

    @property
    def size_bytes(self) -> int:
        """Size of the whole tile set."""
        return len(self.tiles) * self._slot_bytes

    def row_bytes(self, tile: int) -> int:
        """Return the bytes in one row of a tile."""
        return self._row_type(self.grid.core(tile).width).itemsize

    def offset(self, tile: int, row: int) -> int:
        """Return the byte offset of a row of a tile; row 0 is the tile's first."""
        return self._slot_index[tile] * self._slot_bytes + row * self.row_bytes(tile)

    def encode(self, tile: int, top: int, samples: np.ndarray) -> bytes:
        """Return the bytes of the rows (rows, tile width, 3) of a tile, from row `top` on."""
        rows = np.empty(len(samples), self._row_type(samples.shape[1]))
        rows["samples"] = samples
        if self.has_checksums:
            rows["checksum"] = _checksums(tile, top, rows["samples"])
        return rows.tobytes()

    def decode(self, tile: int, top: int, content: bytes) -> np.ndarray | None:
        """Return the rows (rows, tile width, 3) that `encode` made; None if they are damaged."""
        row_type = self._row_type(self.grid.core(tile).width)
        if len(content) % row_type.itemsize:
            return None
        rows = np.frombuffer(content, row_type)
        samples: np.ndarray = rows["samples"]
        if self.has_checksums:
            is_right = np.array_equal(rows["checksum"], _checksums(tile, top, samples))
        else:
            is_right = bool(np.isfinite(samples).all())
        return samples if is_right else None

    def _row_type(self, width: int) -> np.dtype[np.void]:
        samples = ("samples", self.dtype, (width, CHANNELS))
        return np.dtype([samples, ("checksum", "<u4")] if self.has_checksums else [samples])


def _checksums(tile: int, top: int, samples: np.ndarray) -> np.ndarray:
    """Return the CRC-32 of each row. It starts from the row's place, so no row fits elsewhere."""
    start = tile << 16
    sums = (zlib.crc32(row, start + top + n & 0xFFFFFFFF) for n, row in enumerate(samples))
    return np.fromiter(sums, "<u4", len(samples))


class ByteSource(Protocol):
    """The bytes of a tile set, in a file or elsewhere."""

    @property
    def name(self) -> str:
        """The path or the key, for messages."""

    def read(self, start: int, length: int) -> bytes:
        """Return `length` bytes from offset `start`, or fewer if the source ends there."""

    def read_again(self, start: int, length: int) -> bytes:
        """Read the same bytes after a damaged read, and use no copy of them."""


@dataclass(frozen=True)
class FileByteSource:
    """The bytes of a local file."""

    path: Path

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)

    def read(self, start: int, length: int) -> bytes:
        """Return `length` bytes from offset `start`, or fewer if the file ends there."""
        with self.path.open("rb") as file:
            file.seek(start)
            return file.read(length)

    def read_again(self, start: int, length: int) -> bytes:
        """Read the same bytes again."""
        return self.read(start, length)


@dataclass(frozen=True)
class TileSet:
    """Some tiles of an image, for reading."""

    source: ByteSource
    layout: TileLayout

    def read(self, tile: int, rect: Rect) -> np.ndarray:
        """Return the part of one tile inside `rect` (image coordinates), (h, w, 3).

        Raises DamagedTiles if what is read is not what was written.
        """
        core = self.layout.grid.core(tile)
        inside = rect.intersect(core)
        rows = self._read_rows(tile, inside.top - core.top, inside.height)
        return rows[:, inside.left - core.left : inside.right - core.left]

    def _read_rows(self, tile: int, top: int, height: int) -> np.ndarray:
        start, length = self.layout.offset(tile, top), height * self.layout.row_bytes(tile)
        for read in (self.source.read, self.source.read_again):
            rows = self.layout.decode(tile, top, read(start, length))
            if rows is not None and len(rows) == height:
                return rows
        raise DamagedTiles(self.source.name, tile)


@dataclass(frozen=True)
class TileFile:
    """Some tiles of an image in a local file, for writing."""

    path: Path
    layout: TileLayout

    def create(self) -> None:
        """Create the file at its full size."""
        with self.path.open("wb") as file:
            file.truncate(self.layout.size_bytes)

    def write(self, tile: int, samples: np.ndarray, top: int = 0) -> None:
        """Write rows (rows, tile width, 3) of a tile, beginning at row `top` of the tile."""
        with self.path.open("r+b") as file:
            file.seek(self.layout.offset(tile, top))
            file.write(self.layout.encode(tile, top, samples))

    def as_tile_set(self) -> TileSet:
        """Return the same tiles for reading."""
        return TileSet(FileByteSource(self.path), self.layout)


@dataclass(frozen=True)
class TiledImage:
    """A whole image. Its tile sets share a grid and a dtype, and each tile is in one of them.

    below: the image that shows where the grid has no tiles, if its tiles cover only a region.
    """

    tile_sets: tuple[TileSet, ...]
    below: "TiledImage | None" = None

    @property
    def grid(self) -> Grid:
        """The grid of all tile sets."""
        return self.tile_sets[0].layout.grid

    @cached_property
    def _set_of_tile(self) -> dict[int, TileSet]:
        return {tile: one for one in self.tile_sets for tile in one.layout.tiles}

    def read(self, rect: Rect) -> np.ndarray:
        """Return the pixels (h, w, 3) of a rectangle inside the image."""
        shape = rect.height, rect.width, CHANNELS
        if self.below is None or rect.intersect(self.grid.covered) == rect:
            result: np.ndarray = np.empty(shape, self.tile_sets[0].layout.dtype)
        else:
            result = self.below.read(rect)
        for tile in self.grid.touching(rect):
            shared = rect.intersect(self.grid.core(tile))
            result[shared.slices(rect[:2])] = self._set_of_tile[tile].read(tile, rect)
        return result
