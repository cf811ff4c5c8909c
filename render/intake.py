"""A picture taken in: decoded once, streaming, into tiles that any worker can read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np

from render.grid import Grid
from render.mosaic import Mosaic, TileFile
from render.rect import Rect

TILE = 512
"""The side of the input's tiles: a ranged read of a few rows stays below a megabyte."""

_ROWS = 64
_BAND_PIXELS = 1 << 20  # where a picture is so wide that 64 rows are more


class Pictured(Protocol):
    """What can be taken in: a decoded file, noise, a plain colour."""

    @property
    def height(self) -> int:
        """Rows of pixels."""

    @property
    def width(self) -> int:
        """Columns of pixels."""

    @property
    def depth(self) -> int:
        """Bits a sample: 8 or 16."""

    def bands(self, rows: int) -> Iterator[np.ndarray]:
        """(h, width, 3) arrays of uint8 or uint16 from top to bottom, h at most `rows`."""


def taken_in(height: int, width: int, depth: int, path: Path) -> Mosaic:
    """Where the tiles of a picture of this size will be; `take_in` puts them there."""
    grid = Grid(height, width, TILE)
    dtype = "uint8" if depth == 8 else "uint16"
    return Mosaic((TileFile(path, grid, dtype, tuple(range(len(grid)))),))


def take_in(picture: Pictured, mosaic: Mosaic) -> None:
    """Write a picture into the one file of a mosaic made for its size.

    PictureError where the picture turns out to be truncated.
    """
    (file,) = mosaic.files
    grid = file.grid
    file.create()
    top = 0
    for band in picture.bands(max(1, min(_ROWS, _BAND_PIXELS // picture.width))):
        strip = Rect(top, 0, top + len(band), grid.width)
        for tile in grid.touching(strip):
            core = grid.core(tile)
            shared = strip.intersect(core)
            file.write(tile, band[shared.slices((top, 0))], shared.top - core.top)
        top = strip.bottom
