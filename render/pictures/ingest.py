"""A picture taken in: decoded once, streaming, into tiles that any worker can read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np

from render.geometry.grid import Grid
from render.geometry.rect import Rect
from render.pictures.tiled_image import Slots, TileFile

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


def input_slots(height: int, width: int, depth: int) -> Slots:
    """How the tiles of a picture of this size and depth lie once it is taken in."""
    grid = Grid(height, width, TILE)
    dtype = "uint8" if depth == 8 else "uint16"
    return Slots(grid, dtype, tuple(range(len(grid))))


def take_in(picture: Pictured, path: Path) -> TileFile:
    """Decode a picture into a file of tiles.

    PictureError where the picture turns out to be truncated.
    """
    file = TileFile(path, input_slots(picture.height, picture.width, picture.depth))
    grid = file.slots.grid
    file.create()
    top = 0
    for band in picture.bands(max(1, min(_ROWS, _BAND_PIXELS // picture.width))):
        strip = Rect(top, 0, top + len(band), grid.width)
        for tile in grid.touching(strip):
            core = grid.core(tile)
            shared = strip.intersect(core)
            file.write(tile, band[shared.slices((top, 0))], shared.top - core.top)
        top = strip.bottom
    return file
