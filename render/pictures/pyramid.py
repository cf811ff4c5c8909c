"""Smaller and smaller copies of a picture, made while it streams past.

Each level has half the sides of the one before. A pixel is the mean of a square of four, rounded
half up, as in libvips. At the end of an odd side, it is the mean of the pixels that are there.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from render.geometry.rect import Size
from render.pictures.bands import BandStream


class Strip(NamedTuple):
    """Rows of one level, for one row of tiles.

    level: 0 is the picture itself. row: of tiles. top: the strip's first row of pixels.
    samples: (h, width, channels).
    """

    level: int
    row: int
    top: int
    samples: np.ndarray


class NamedTile(NamedTuple):
    """A tile of one level. name: of its file, with slashes. samples: (h, w, channels)."""

    name: str
    samples: np.ndarray


def pyramid_strips(
    picture: BandStream, sizes: Sequence[Size], rows: int, overlap: int = 0
) -> Iterator[Strip]:
    """Yield the strips of every level, as soon as their last row is known.

    Args:
        picture: Level 0.
        sizes: (height, width) of each level, each about half of the one before.
        rows: Rows of a strip, an even number.
        overlap: Rows that a strip shows of each neighbour, besides its own.

    Raises:
        ValueError: The bands do not match the picture.
    """
    levels = [
        _Level(number, sizes[number : number + 2], rows, overlap) for number in range(len(sizes))
    ]
    for block in picture.blocks(rows):
        samples = block
        for level in levels:
            yield from level.add(samples)
            samples = level.halve(samples)
            if not len(samples):
                break


class _Level:
    """One level: the rows of its next strip, and a row that has no partner yet."""

    def __init__(self, number: int, sizes: Sequence[Size], rows: int, overlap: int) -> None:
        self._number = number
        self._height = sizes[0][0]
        self._half = sizes[1] if len(sizes) > 1 else (0, 0)
        self._rows, self._overlap = rows, overlap
        self._row = self._top = self._halved = 0
        self._held: list[np.ndarray] = []
        self._odd: np.ndarray | None = None

    def add(self, samples: np.ndarray) -> Iterator[Strip]:
        self._held.append(samples)
        end = self._top + sum(map(len, self._held))
        while self._row * self._rows < self._height:
            last = min((self._row + 1) * self._rows + self._overlap, self._height)
            if last > end:
                return
            whole = self._held[0] if len(self._held) == 1 else np.concatenate(self._held)
            yield Strip(self._number, self._row, self._top, whole[: last - self._top])
            self._row += 1
            top = max(0, self._row * self._rows - self._overlap)
            rest = whole[top - self._top :]
            self._held, self._top = [rest.copy()] if len(rest) else [], top

    def halve(self, samples: np.ndarray) -> np.ndarray:
        """Return the next rows of the next level: (h, w, channels), perhaps none."""
        height, width = self._half
        if self._odd is not None:
            samples = np.concatenate((self._odd, samples))
            self._odd = None
        rows = len(samples) // 2
        if len(samples) % 2:
            self._odd = samples[-1:].copy()
            # Only the picture's last row can make this pair, with itself.
            if self._halved + rows + 1 == height and self._is_last(2 * self._halved + len(samples)):
                samples = np.concatenate((samples, self._odd))
                rows += 1
        self._halved += rows
        return _halved(samples, (rows, width))

    def _is_last(self, end: int) -> bool:
        return end == self._height


def _halved(samples: np.ndarray, size: Size) -> np.ndarray:
    """Return samples (h, w, channels) at half the size.

    A missing last column counts as its neighbour.
    """
    rows, columns = size
    wide = np.uint16 if samples.dtype == np.uint8 else np.uint32
    if samples.shape[1] < 2 * columns:
        samples = np.concatenate((samples, samples[:, -1:]), axis=1)
    half = np.empty((rows, columns, samples.shape[2]), samples.dtype)
    for row in range(rows):
        sums = samples[2 * row].astype(wide)
        sums += samples[2 * row + 1]
        # By channel: three times as fast as along the last axis.
        for channel in range(samples.shape[2]):
            pairs = sums[: 2 * columns : 2, channel] + sums[1 : 2 * columns : 2, channel]
            pairs += 2
            half[row, :, channel] = pairs >> 2
    return half
