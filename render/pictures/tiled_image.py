"""Pictures kept as tiles: written once, tile by tile, read by rectangle from wherever they lie.

A tile set holds some tiles of a grid, each in a slot of the same length, so that any rows of any
tile lie at an offset that is known beforehand and can be fetched by one ranged read.
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
class Slots:
    """Where each tile lies in a tile set: in the order of `tiles`, (h, w, 3) of `dtype` each."""

    grid: Grid
    dtype: str
    tiles: tuple[int, ...]

    @cached_property
    def _slot(self) -> int:
        rows, columns = min(self.grid.tile, self.grid.height), min(self.grid.tile, self.grid.width)
        return rows * columns * CHANNELS * np.dtype(self.dtype).itemsize

    @cached_property
    def _places(self) -> dict[int, int]:
        return {tile: place for place, tile in enumerate(self.tiles)}

    @property
    def length(self) -> int:
        """Bytes of the whole set."""
        return len(self.tiles) * self._slot

    def row_length(self, tile: int) -> int:
        """Bytes of a row of a tile."""
        return self.grid.core(tile).width * CHANNELS * np.dtype(self.dtype).itemsize

    def offset(self, tile: int, row: int) -> int:
        """Where row `row` of a tile begins, in bytes."""
        return self._places[tile] * self._slot + row * self.row_length(tile)


class Bytes(Protocol):
    """Where the bytes of a tile set lie: in a file, or elsewhere."""

    def read(self, start: int, length: int) -> bytes:
        """Exactly `length` bytes from `start` on."""


@dataclass(frozen=True)
class FileBytes:
    """Bytes in a file of this machine."""

    path: Path

    def read(self, start: int, length: int) -> bytes:
        """Exactly `length` bytes from `start` on."""
        with self.path.open("rb") as file:
            file.seek(start)
            return file.read(length)


@dataclass(frozen=True)
class TileSet:
    """Some tiles of a picture, to be read."""

    source: Bytes
    slots: Slots

    def read(self, tile: int, rect: Rect) -> np.ndarray:
        """The pixels `rect` (of the picture) of one tile, (h, w, 3)."""
        core = self.slots.grid.core(tile)
        inside = rect.intersect(core)
        found = self.source.read(
            self.slots.offset(tile, inside.top - core.top),
            inside.height * self.slots.row_length(tile),
        )
        rows = np.frombuffer(found, self.slots.dtype).reshape(inside.height, core.width, CHANNELS)
        return rows[:, inside.left - core.left : inside.right - core.left]


@dataclass(frozen=True)
class TileFile:
    """Some tiles of a picture in a file of this machine, to be written."""

    path: Path
    slots: Slots

    def create(self) -> None:
        """Make the file, with room for every tile."""
        with self.path.open("wb") as file:
            file.truncate(self.slots.length)

    def write(self, tile: int, samples: np.ndarray, top: int = 0) -> None:
        """Put rows of a tile, from row `top` of the tile on, (rows, the tile's width, 3)."""
        with self.path.open("r+b") as file:
            file.seek(self.slots.offset(tile, top))
            file.write(np.ascontiguousarray(samples, dtype=self.slots.dtype).data)

    def readable(self) -> TileSet:
        """The same tiles, to be read."""
        return TileSet(FileBytes(self.path), self.slots)


@dataclass(frozen=True)
class Mosaic:
    """A whole picture in tile sets that share a grid and a type, each tile in one of them."""

    sets: tuple[TileSet, ...]

    @property
    def grid(self) -> Grid:
        """The grid that all of the sets share."""
        return self.sets[0].slots.grid

    @cached_property
    def _holders(self) -> dict[int, TileSet]:
        return {tile: one for one in self.sets for tile in one.slots.tiles}

    def read(self, rect: Rect) -> np.ndarray:
        """The pixels `rect`, which lies inside the picture: (h, w, 3)."""
        result = np.empty((rect.height, rect.width, CHANNELS), self.sets[0].slots.dtype)
        for tile in self.grid.touching(rect):
            shared = rect.intersect(self.grid.core(tile))
            result[shared.slices(rect[:2])] = self._holders[tile].read(tile, rect)
        return result
