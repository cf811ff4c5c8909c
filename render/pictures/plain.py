"""A plain colour as a picture to dream from."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Plain:
    """height x width pixels of one sRGB colour, (red, green, blue) from 0 to 255."""

    height: int
    width: int
    colour: tuple[int, int, int]

    depth = 8

    def bands(self, rows: int) -> Iterator[np.ndarray]:
        """(h, width, 3) of uint8, h at most `rows`, from top to bottom."""
        for top in range(0, self.height, rows):
            shape = (min(rows, self.height - top), self.width, 3)
            yield np.broadcast_to(np.array(self.colour, np.uint8), shape)
