"""Gives a picture another shape, as a stream: cuts a part out, or continues its edges."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from render.geometry.rect import Rect, Size
from render.pictures.ingest import PictureSource

Focus = tuple[float, float]
"""A point of a picture, x and y, each from 0 to 1."""

CENTRE: Focus = (0.5, 0.5)


@dataclass(frozen=True)
class FramedPicture:
    """A picture seen through a frame: the pixels `frame`, in its coordinates, may lie outside.

    Outside, the nearest pixel of the picture is repeated.
    """

    picture: PictureSource
    frame: Rect

    @property
    def height(self) -> int:
        """Rows of pixels."""
        return self.frame.height

    @property
    def width(self) -> int:
        """Columns of pixels."""
        return self.frame.width

    @property
    def depth(self) -> int:
        """Bits per sample: 8 or 16."""
        return self.picture.depth

    def bands(self, rows: int) -> Iterator[np.ndarray]:
        """Yield (h, width, 3) from top to bottom, h at most `rows`."""
        columns = np.arange(self.frame.left, self.frame.right).clip(0, self.picture.width - 1)
        last, top = self.picture.height - 1, 0
        for band in self.picture.bands(rows):
            bottom = top + len(band)
            # The first row stands for all above it, and the last one for all below.
            first_row = self.frame.top if top == 0 else max(top, self.frame.top)
            end_row = self.frame.bottom if bottom > last else min(bottom, self.frame.bottom)
            for row in range(first_row, end_row, rows):
                wanted = np.arange(row, min(row + rows, end_row)).clip(0, last) - top
                yield band[wanted.clip(0, len(band) - 1)][:, columns]
            top = bottom


def crop_frame(size: Size, shape: Size, focus: Focus = CENTRE) -> Rect:
    """The largest part of a picture of `size` with a shape, as near to the focus as can be."""
    ratio = Fraction(*shape)
    height, width = size
    if height > width * ratio:
        height = max(1, round(width * ratio))
    else:
        width = max(1, round(height / ratio))
    top = _start(size[0], height, focus[1])
    left = _start(size[1], width, focus[0])
    return Rect(top, left, top + height, left + width)


def _start(whole: int, part: int, focus: float) -> int:
    return min(max(0, round(whole * focus - part / 2)), whole - part)


def pad_frame(size: Size, shape: Size) -> Rect:
    """The smallest frame of a shape around a whole picture of `size`, which is in its middle."""
    ratio = Fraction(*shape)
    height, width = size
    if height < width * ratio:
        height = round(width * ratio)
    else:
        width = round(height / ratio)
    top, left = -((height - size[0]) // 2), -((width - size[1]) // 2)
    return Rect(top, left, top + height, left + width)
