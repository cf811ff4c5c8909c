"""Generated pictures to start a dream from: seeded noise and plain colours."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from render.geometry.rect import Size

_SPACINGS = (1, 2, 4, 8, 16, 32, 64, 128)  # of the summed noise grids, in pixels

_CONTRAST = 0.11  # standard deviation, where the full range is 1

_MEAN = 0.45


_NOISE_SIDES = (512, 4096)


def noise_size(shape: Size) -> Size:
    """The height and width of the noise for a result of that shape.

    The shorter side has 512 pixels, unless the longer would have more than 4096. The size of the
    result does not count, so every size starts from the same noise.
    """
    scale = min(_NOISE_SIDES[0] / min(shape), _NOISE_SIDES[1] / max(shape))
    return max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))


@dataclass(frozen=True)
class Noise:
    """Noise with the same contrast at every scale (1/f), so that every octave has detail.

    It is a sum of value noise on grids of doubling spacing (Perlin 1985, "An Image Synthesizer",
    with values in place of gradients). A counter-based generator makes each grid row independently,
    so bands of any height give the same picture.
    """

    height: int
    width: int
    seed: int

    depth = 16

    def bands(self, rows: int) -> Iterator[np.ndarray]:
        """Yield (h, width, 3) of uint16 from top to bottom, h at most `rows`."""
        for top in range(0, self.height, rows):
            yield self._band(top, min(top + rows, self.height))

    def _band(self, top: int, bottom: int) -> np.ndarray:
        total = np.zeros((bottom - top, self.width, 3))
        for level, spacing in enumerate(_SPACINGS):
            total += self._level(level, spacing, top, bottom)
        # Bilinear interpolation of uniform values has a mean variance of 1/12 * 4/9.
        deviation = np.sqrt(len(_SPACINGS) / 12 * 4 / 9)
        values = _MEAN + (total - len(_SPACINGS) / 2) * (_CONTRAST / deviation)
        samples: np.ndarray = np.rint(np.clip(values, 0, 1) * 65535).astype(np.uint16)
        return samples

    def _level(self, level: int, spacing: int, top: int, bottom: int) -> np.ndarray:
        rows, down = np.divmod(np.arange(top, bottom), spacing)
        columns, across = np.divmod(np.arange(self.width), spacing)
        first = rows[0]
        grid = np.stack(
            [self._grid_row(level, row, columns[-1] + 2) for row in range(first, rows[-1] + 2)]
        )
        across_share = (across / spacing)[:, None]
        stretched = grid[:, columns] * (1 - across_share) + grid[:, columns + 1] * across_share
        down_share = (down / spacing)[:, None, None]
        above = stretched[rows - first]
        below = stretched[rows - first + 1]
        blended: np.ndarray = above * (1 - down_share) + below * down_share
        return blended

    def _grid_row(self, level: int, row: int, length: int) -> np.ndarray:
        generator = np.random.Philox(key=[self.seed, (level << 48) + row])
        raw = np.asarray(generator.random_raw(length * 3))
        return (raw / 2.0**64).reshape(length, 3)


@dataclass(frozen=True)
class PlainColour:
    """A picture of one sRGB colour, (red, green, blue) from 0 to 255."""

    height: int
    width: int
    colour: tuple[int, int, int]

    depth = 8

    def bands(self, rows: int) -> Iterator[np.ndarray]:
        """Yield (h, width, 3) of uint8 from top to bottom, h at most `rows`."""
        for top in range(0, self.height, rows):
            shape = (min(rows, self.height - top), self.width, 3)
            yield np.broadcast_to(np.array(self.colour, np.uint8), shape)
