"""Images stored as tiles: written tile by tile, read by rectangle from files or object stores.

A tile set holds some tiles of a grid. Every tile has a slot of the same size, so the offset of any
row is known in advance, and one ranged read fetches any rows of a tile.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np

from render.geometry.grid import Grid
from render.geometry.rect import Rect

CHANNELS = 3


Samples = np.ndarray[tuple[int, int, int], np.dtype[np.generic]]


@dataclass(frozen=True)
class TileLayout:
    """Byte offsets in a tile set: `tiles` in this order, each (h, w, 3) of `dtype`."""

    grid: Grid
    dtype: str
    tiles: tuple[int, ...]

    @cached_property
    def _slot_bytes(self) -> int:
        rows, columns = min(self.grid.tile, self.grid.height), min(self.grid.tile, self.grid.width)
        return rows * columns * CHANNELS * np.dtype(self.dtype).itemsize

    @cached_property
    def _slot_index(self) -> dict[int, int]:
        return {tile: index for index, tile in enumerate(self.tiles)}

    @property
    def size_bytes(self) -> int:
        """Size of the whole tile set."""
        return len(self.tiles) * self._slot_bytes

    def row_bytes(self, tile: int) -> int:
        """Return the bytes in one row of a tile."""
        return self.grid.core(tile).width * CHANNELS * np.dtype(self.dtype).itemsize

    def offset(self, tile: int, row: int) -> int:
        """Return the byte offset of a row of a tile; row 0 is the tile's first."""
        return self._slot_index[tile] * self._slot_bytes + row * self.row_bytes(tile)


class ByteSource(Protocol):
    """The bytes of a tile set, in a file or elsewhere."""

    def read(self, start: int, length: int) -> bytes:
        """Return exactly `length` bytes from offset `start`."""


@dataclass(frozen=True)
class FileByteSource:
    """The bytes of a local file."""

    path: Path

    def read(self, start: int, length: int) -> bytes:
        """Return exactly `length` bytes from offset `start`."""
        with self.path.open("rb") as file:
            file.seek(start)
            return file.read(length)


@dataclass(frozen=True)
class TileSet:
    """Some tiles of an image, for reading."""

    source: ByteSource
    layout: TileLayout

    def read(self, tile: int, rect: Rect) -> np.ndarray:
        """Return the part of one tile inside `rect` (image coordinates), (h, w, 3)."""
        core = self.layout.grid.core(tile)
        inside = rect.intersect(core)
        raw = self.source.read(
            self.layout.offset(tile, inside.top - core.top),
            inside.height * self.layout.row_bytes(tile),
        )
        rows = np.frombuffer(raw, self.layout.dtype).reshape(inside.height, core.width, CHANNELS)
        return rows[:, inside.left - core.left : inside.right - core.left]


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
            file.write(np.ascontiguousarray(samples, dtype=self.layout.dtype).data)

    def as_tile_set(self) -> TileSet:
        """Return the same tiles for reading."""
        return TileSet(FileByteSource(self.path), self.layout)


@dataclass(frozen=True)
class TiledImage:
    """A whole image. Its tile sets share a grid and a dtype, and each tile is in one of them."""

    tile_sets: tuple[TileSet, ...]

    @property
    def grid(self) -> Grid:
        """The grid of all tile sets."""
        return self.tile_sets[0].layout.grid

    @cached_property
    def _set_of_tile(self) -> dict[int, TileSet]:
        return {tile: one for one in self.tile_sets for tile in one.layout.tiles}

    def read(self, rect: Rect) -> np.ndarray:
        """Return the pixels (h, w, 3) of a rectangle inside the image."""
        result = np.empty((rect.height, rect.width, CHANNELS), self.tile_sets[0].layout.dtype)
        for tile in self.grid.touching(rect):
            shared = rect.intersect(self.grid.core(tile))
            result[shared.slices(rect[:2])] = self._set_of_tile[tile].read(tile, rect)
        return result
