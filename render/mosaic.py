"""Pictures on disk as tiles: written once, tile by tile, read by rectangle.

A tile file holds some tiles of a grid, each in a slot of the same length, so that any rows of any
tile lie at an offset that is known beforehand and can be fetched by one ranged read.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from render.grid import Grid
from render.rect import Rect

CHANNELS = 3

Samples = np.ndarray[tuple[int, int, int], np.dtype[np.generic]]


@dataclass(frozen=True)
class TileFile:
    """Some tiles of a picture in one file, in the order of `tiles`; (h, w, 3) of `dtype` each."""

    path: Path
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

    def create(self) -> None:
        """Make the file, with room for every tile."""
        with self.path.open("wb") as file:
            file.truncate(len(self.tiles) * self._slot)

    def write(self, tile: int, samples: np.ndarray, top: int = 0) -> None:
        """Put rows of a tile, from row `top` of the tile on, (rows, the tile's width, 3)."""
        width = self.grid.core(tile).width
        with self.path.open("r+b") as file:
            file.seek(self._offset(tile, top, width))
            file.write(np.ascontiguousarray(samples, dtype=self.dtype).data)

    def read(self, tile: int, rect: Rect) -> np.ndarray:
        """The pixels `rect` (of the picture) of one tile, (h, w, 3)."""
        core = self.grid.core(tile)
        inside = rect.intersect(core)
        count = inside.height * core.width * CHANNELS
        rows = np.fromfile(
            self.path,
            self.dtype,
            count,
            offset=self._offset(tile, inside.top - core.top, core.width),
        ).reshape(inside.height, core.width, CHANNELS)
        return rows[:, inside.left - core.left : inside.right - core.left]

    def _offset(self, tile: int, row: int, width: int) -> int:
        within = row * width * CHANNELS * np.dtype(self.dtype).itemsize
        return self._places[tile] * self._slot + within


@dataclass(frozen=True)
class Mosaic:
    """A whole picture in tile files that share a grid and a type, each tile in one of them."""

    files: tuple[TileFile, ...]

    @property
    def grid(self) -> Grid:
        """The grid that all of the files share."""
        return self.files[0].grid

    @cached_property
    def _holders(self) -> dict[int, TileFile]:
        return {tile: file for file in self.files for tile in file.tiles}

    def read(self, rect: Rect) -> np.ndarray:
        """The pixels `rect`, which lies inside the picture: (h, w, 3)."""
        result = np.empty((rect.height, rect.width, CHANNELS), self.files[0].dtype)
        for tile in self.grid.touching(rect):
            shared = rect.intersect(self.grid.core(tile))
            result[shared.slices(rect[:2])] = self._holders[tile].read(tile, rect)
        return result
