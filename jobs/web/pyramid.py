"""Tiles of a DeepZoom pyramid, computed from a canvas that may have fewer pixels than the picture.

A level has half the pixels of the next one; the last has those of the finished picture. What the
canvas has more of is averaged; what it has less of is enlarged. No tile reads more than
MOST_PIXELS, and only a band of them is in memory at once.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO

import numpy as np
from PIL import Image

from render.geometry.rect import Rect, Size
from render.pictures.colour import values_to_samples

TILE = 256
"""Side of a tile, in pixels."""

MOST_PIXELS = 5 << 20
"""Pixels of a canvas that one tile may be averaged from."""

_BAND_PIXELS = 1 << 20

_QUALITY = 90

_MARGIN = 4
"""Averaged pixels around a tile, which the filter needs so that tiles meet without a seam."""

ReadPixels = Callable[[Rect], np.ndarray]
"""Reads a rectangle of a canvas: normalised values (h, w, 3)."""


@dataclass(frozen=True)
class Span:
    """What one side of a tile needs of the same side of a canvas.

    out: pixels of the tile. start, stop: the part of the canvas, in its pixels. step: how many of
    them are averaged to one, at first.
    """

    out: int
    start: Fraction
    stop: Fraction
    step: int

    @property
    def is_exact(self) -> bool:
        """Whether averaging gives the tile's pixels, and nothing is to be resampled."""
        return self.stop - self.start == self.out * self.step and self.start % self.step == 0

    def blocks(self, side: int) -> range:
        """The averaged pixels to compute, with margins. side: of the canvas."""
        margin = 0 if self.is_exact else _MARGIN
        first = math.floor(self.start / self.step) - margin
        last = math.ceil(self.stop / self.step) + margin
        return range(max(0, first), min(-(-side // self.step), last))


@dataclass(frozen=True)
class Pyramid:
    """The pyramid of a picture of some height and width."""

    height: int
    width: int

    @property
    def max_level(self) -> int:
        """The level that has all pixels."""
        return max(0, (max(self.height, self.width) - 1).bit_length())

    def level_size(self, level: int) -> Size:
        """Height and width of a level."""
        scale = 1 << (self.max_level - level)
        return -(-self.height // scale), -(-self.width // scale)

    def has_tile(self, level: int, column: int, row: int) -> bool:
        """Whether there is such a tile."""
        if not 0 <= level <= self.max_level:
            return False
        height, width = self.level_size(level)
        return 0 <= column * TILE < width and 0 <= row * TILE < height

    def spans(self, canvas: Size, level: int, column: int, row: int) -> tuple[Span, Span]:
        """What a tile needs of a canvas of this height and width: its rows, and its columns."""
        sides = zip((self.height, self.width), canvas, self.level_size(level), strict=True)
        down, across = (
            self._span(picture, side, length, level, place)
            for (picture, side, length), place in zip(sides, (row, column), strict=True)
        )
        return down, across

    def _span(self, picture: int, side: int, length: int, level: int, place: int) -> Span:
        ratio = Fraction(side, picture) * (1 << (self.max_level - level))
        first = place * TILE
        last = min(first + TILE, length)
        return Span(last - first, first * ratio, last * ratio, max(1, math.floor(ratio)))


def pixels_to_read(canvas: Size, spans: tuple[Span, Span]) -> int:
    """How many pixels of a canvas a tile is computed from."""
    down, across = (
        len(span.blocks(side)) * span.step for span, side in zip(spans, canvas, strict=True)
    )
    return down * across


def compute_tile(read: ReadPixels, canvas: Size, spans: tuple[Span, Span]) -> np.ndarray:
    """Compute a tile (h, w, 3) of uint8 from a canvas of this height and width."""
    down, across = spans
    rows, columns = down.blocks(canvas[0]), across.blocks(canvas[1])
    left = columns.start * across.step
    right = min(columns.stop * across.step, canvas[1])
    at_once = max(1, _BAND_PIXELS // (right - left) // down.step)
    bands = []
    for first in range(rows.start, rows.stop, at_once):
        last = min(first + at_once, rows.stop)
        rect = Rect(first * down.step, left, min(last * down.step, canvas[0]), right)
        values = _average(_average(read(rect), down.step, 0), across.step, 1)
        bands.append(values_to_samples(values, 8))
    samples = np.concatenate(bands)
    if down.is_exact and across.is_exact:
        return samples
    return _resample(samples, rows.start, columns.start, spans)


def enlarge(picture: Image.Image, spans: tuple[Span, Span]) -> np.ndarray:
    """Compute a tile from a small picture of the whole. spans: of a canvas of its size."""
    samples = np.asarray(picture.convert("RGB"))
    whole = tuple(Span(one.out, one.start, one.stop, 1) for one in spans)
    return _resample(samples, 0, 0, (whole[0], whole[1]))


def encode_tile(samples: np.ndarray) -> bytes:
    """A tile as a JPEG."""
    content = BytesIO()
    Image.fromarray(samples).save(content, "JPEG", quality=_QUALITY, subsampling=0)
    return content.getvalue()


def _average(values: np.ndarray, step: int, axis: int) -> np.ndarray:
    """Average each `step` values along axis 0 or 1. The last ones may be fewer."""
    if step == 1:
        return values
    whole, rest = divmod(values.shape[axis], step)
    main, last = np.split(values, [whole * step], axis)
    shape = [*main.shape]
    shape[axis : axis + 1] = [whole, step]
    # `mean` along an axis of its own is several times as fast as `add.reduceat`.
    means: np.ndarray = main.reshape(shape).mean(axis + 1)
    return np.concatenate([means, last.mean(axis, keepdims=True)], axis) if rest else means


def _resample(samples: np.ndarray, top: int, left: int, spans: tuple[Span, Span]) -> np.ndarray:
    """Resample averaged pixels, of which the first has this place, to a tile."""
    down, across = spans
    # The last pixel of a level may lie partly outside of the picture.
    padded = np.pad(samples, ((0, 1), (0, 1), (0, 0)), mode="edge")
    box = (
        float(across.start / across.step - left),
        float(down.start / down.step - top),
        min(float(across.stop / across.step - left), float(padded.shape[1])),
        min(float(down.stop / down.step - top), float(padded.shape[0])),
    )
    size = (across.out, down.out)
    tile = Image.fromarray(padded).resize(size, Image.Resampling.BICUBIC, box=box)
    return np.asarray(tile)
