"""The part of a picture that is dreamed anew, and how much of each pixel is new.

A region is a rectangle with a feather, or a mask. Its weights are from 0, the old picture, to 1,
the new one. Outside of `rect` they are 0, so nothing there is computed, and nothing changes.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from render.errors import PictureError
from render.geometry.rect import Rect, Size

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, dtype

    from render.pictures.tiled_image import TiledImage

_BAND_ROWS = 64


@dataclass(frozen=True)
class Region:
    """A region in shares of a picture of any size: 0 is the left or top edge, 1 the other one.

    left, top, right, bottom: the rectangle; of a mask, the one around its pixels above black.
    feather: the width of the soft edge inside the rectangle, as a share of the rectangle's shorter
        side, from 0 to 0.5. A side at the edge of the picture has none.
    mask: a grey picture that has the weights; it needs no feather.
    mask_size: its height and width.
    """

    left: float
    top: float
    right: float
    bottom: float
    feather: float = 0.0
    mask: Path | None = None
    mask_size: Size | None = None

    def rect(self, size: Size) -> Rect:
        """The pixels of a picture of this size that may change: their centres are inside.

        May be empty. Around a mask it has the pixels that the mask's resampling reaches.
        """
        rows = _pixels(self.top, self.bottom, size[0])
        columns = _pixels(self.left, self.right, size[1])
        rect = Rect(rows[0], columns[0], rows[1], columns[1])
        if self.mask_size is None:
            return rect
        down, across = (_reach(*sides) for sides in zip(self.mask_size, size, strict=True))
        grown = Rect(rect.top - down, rect.left - across, rect.bottom + down, rect.right + across)
        return grown.intersect(Rect(0, 0, *size))

    def weights(
        self, size: Size, rect: Rect, masks: Mapping[Path, "TiledImage"], dtype: "dtype"
    ) -> "Tensor":
        """The weights of the pixels `rect` of a picture of this size: (h, w, 1), from 0 to 1.

        masks: the ingested masks, by path.
        """
        if self.mask is not None:
            from render.dream.attachments import resample_mask

            return resample_mask(masks[self.mask], size, rect, dtype)
        height, width = (self.bottom - self.top) * size[0], (self.right - self.left) * size[1]
        feather = self.feather * min(height, width)
        rows = _ramp(self.top, self.bottom, size[0], feather, rect.top, rect.bottom)
        columns = _ramp(self.left, self.right, size[1], feather, rect.left, rect.right)
        return (rows[:, None] * columns)[..., None].to(dtype)


def _pixels(start: float, stop: float, side: int) -> tuple[int, int]:
    """The first pixel whose centre is in [start, stop) of a side, and the one after the last."""
    first, end = math.ceil(start * side - 0.5), math.ceil(stop * side - 0.5)
    return max(0, first), min(side, end)


def _reach(mask: int, side: int) -> int:
    """How many pixels of a side one pixel of a mask reaches beyond its own place, at most."""
    return math.ceil(2 * max(1.0, side / mask)) + 1


def _ramp(start: float, stop: float, side: int, feather: float, first: int, end: int) -> "Tensor":
    """The weights along one axis for the pixels [first, end), as float64."""
    import torch

    centres = torch.arange(first, end, dtype=torch.float64) + 0.5
    before, after = centres - start * side, stop * side - centres
    inside = ((before >= 0) & (after > 0)).double()
    if feather == 0:
        return inside
    depth = torch.full_like(centres, math.inf)
    if start > 0:
        depth = before
    if stop < 1:
        depth = torch.minimum(depth, after)
    share = (depth / feather).clamp(0, 1)
    return inside * share * share * (3 - 2 * share)  # smooth at both ends


def masked_region(path: Path, max_pixels: int) -> Region:
    """The region of a mask. Decodes it once, as a stream.

    Raises PictureError if the mask is unreadable, too large, or black all over.
    """
    # Imported here because setups name the class above, and whoever reads records needs no numpy.
    import numpy as np

    from render.pictures.decode import open_mask

    picture = open_mask(path, max_pixels)
    rows, columns = np.zeros(picture.height, bool), np.zeros(picture.width, bool)
    top = 0
    for band in picture.bands(_BAND_ROWS):
        bright = np.max(band, axis=2) > 0
        rows[top : top + len(band)] = bright.any(axis=1)
        columns |= bright.any(axis=0)
        top += len(band)
    if not rows.any():
        raise PictureError(f"{path}: is black all over, so it chooses no pixel; paint it white")
    (first_row, last_row), (first_column, last_column) = _ends(rows), _ends(columns)
    height, width = picture.height, picture.width
    return Region(
        left=first_column / width,
        top=first_row / height,
        right=(last_column + 1) / width,
        bottom=(last_row + 1) / height,
        mask=path,
        mask_size=(height, width),
    )


def _ends(marked: "np.ndarray") -> tuple[int, int]:
    (found,) = marked.nonzero()
    return int(found[0]), int(found[-1])
