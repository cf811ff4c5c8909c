"""Decodes a picture once, as a stream, into a file of tiles that any worker can read."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import numpy as np

from render.geometry.grid import Grid
from render.geometry.rect import Rect
from render.pictures.tiled_image import TileFile, TileLayout

INPUT_TILE = 512
"""Tile side in pixels. A ranged read of a few rows stays below a megabyte."""


_BAND_ROWS = 64

_BAND_PIXELS = 1 << 20  # limits the rows of very wide pictures


class PictureSource(Protocol):
    """Anything that yields pixels from top to bottom: a decoded file, noise, a plain colour."""

    @property
    def height(self) -> int:
        """Rows of pixels."""

    @property
    def width(self) -> int:
        """Columns of pixels."""

    @property
    def depth(self) -> int:
        """Bits per sample: 8 or 16."""

    def bands(self, rows: int) -> Iterator[np.ndarray]:
        """Yield (h, width, 3) arrays of uint8 or uint16 from top to bottom, h at most `rows`."""


def input_layout(height: int, width: int, depth: int) -> TileLayout:
    """Return the tile layout of an ingested picture of this size and depth."""
    grid = Grid(height, width, INPUT_TILE)
    dtype = "uint8" if depth == 8 else "uint16"
    return TileLayout(grid, dtype, tuple(range(len(grid))))


def canvas_layout(height: int, width: int, dtype: str) -> TileLayout:
    """Return the tile layout of the input at the size of an octave, as canvas values."""
    grid = Grid(height, width, INPUT_TILE)
    return TileLayout(grid, dtype, tuple(range(len(grid))))


def ingest_picture(
    picture: PictureSource, path: Path, watch: Callable[[np.ndarray], None] | None = None
) -> TileFile:
    """Decode a picture into a file of tiles.

    watch: called with each band (h, width, 3), from top to bottom.

    Raises PictureError if the picture is truncated or damaged.
    """
    file = TileFile(path, input_layout(picture.height, picture.width, picture.depth))
    grid = file.layout.grid
    file.create()
    top = 0
    for band in picture.bands(max(1, min(_BAND_ROWS, _BAND_PIXELS // picture.width))):
        if watch is not None:
            watch(band)
        strip = Rect(top, 0, top + len(band), grid.width)
        for tile in grid.touching(strip):
            core = grid.core(tile)
            shared = strip.intersect(core)
            file.write(tile, band[shared.slices((top, 0))], shared.top - core.top)
        top = strip.bottom
    return file
