"""Seeded noise at any size, a band at a time: something to dream from where there is no picture."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

_SPACINGS = (1, 2, 4, 8, 16, 32, 64, 128)  # of the lattices that are summed, in pixels

_CONTRAST = 0.11  # standard deviation, in parts of the whole range

_MEAN = 0.45


@dataclass(frozen=True)
class Noise:
    """Noise with as much contrast at every scale (1/f), so that every octave has some of its own.

    Sums of value noise on lattices of doubling spacing (Perlin 1985, "An Image Synthesizer", with
    values in place of gradients). Each lattice row comes from a counter-based generator, so no row
    depends on another, and bands of any height show the same picture.
    """

    height: int
    width: int
    seed: int

    depth = 16

    def bands(self, rows: int) -> Iterator[np.ndarray]:
        """(h, width, 3) of uint16, h at most `rows`, from top to bottom."""
        for top in range(0, self.height, rows):
            yield self._band(top, min(top + rows, self.height))

    def _band(self, top: int, bottom: int) -> np.ndarray:
        total = np.zeros((bottom - top, self.width, 3))
        for level, spacing in enumerate(_SPACINGS):
            total += self._level(level, spacing, top, bottom)
        # A bilinear blend of uniform values has, on average, a variance of 1/12 times 4/9.
        deviation = np.sqrt(len(_SPACINGS) / 12 * 4 / 9)
        values = _MEAN + (total - len(_SPACINGS) / 2) * (_CONTRAST / deviation)
        samples: np.ndarray = np.rint(np.clip(values, 0, 1) * 65535).astype(np.uint16)
        return samples

    def _level(self, level: int, spacing: int, top: int, bottom: int) -> np.ndarray:
        rows, down = np.divmod(np.arange(top, bottom), spacing)
        columns, across = np.divmod(np.arange(self.width), spacing)
        first = rows[0]
        lattice = np.stack(
            [self._lattice_row(level, row, columns[-1] + 2) for row in range(first, rows[-1] + 2)]
        )
        across_share = (across / spacing)[:, None]
        stretched = (
            lattice[:, columns] * (1 - across_share) + lattice[:, columns + 1] * across_share
        )
        down_share = (down / spacing)[:, None, None]
        above = stretched[rows - first]
        below = stretched[rows - first + 1]
        blended: np.ndarray = above * (1 - down_share) + below * down_share
        return blended

    def _lattice_row(self, level: int, row: int, length: int) -> np.ndarray:
        generator = np.random.Philox(key=[self.seed, (level << 48) + row])
        raw = np.asarray(generator.random_raw(length * 3))
        return (raw / 2.0**64).reshape(length, 3)


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
