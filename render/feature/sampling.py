"""A picture as a view shows it."""

import math

import torch
from torch import Tensor
from torch.nn.functional import pad

from render.feature.view import View


def sampled(picture: Tensor, view: View, least: int) -> Tensor:
    """What a view shows of a canvas (h, w, 3): bilinear, zeros beyond the borders.

    Shift, scale and turn are one resampling, where Lucid has two: nothing is blurred twice.
    """
    height, width, _ = picture.shape
    sides = view.size((height, width), least)
    down, right = (
        torch.arange(side, dtype=picture.dtype, device=picture.device) - (side - 1) / 2 - shift
        for side, shift in zip(sides, (view.down, view.right), strict=True)
    )
    turn = math.radians(view.degrees)
    along, beside = math.cos(turn) / view.scale, math.sin(turn) / view.scale
    rows = down[:, None] * along - right * beside + (height - 1) / 2
    columns = down[:, None] * beside + right * along + (width - 1) / 2
    return _between(picture, rows, columns)


def _between(picture: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """The picture at positions (h, w) between its pixels, from the middle of the first.

    Not grid_sample: its gradient is added up by atomics on CUDA, in any order.
    """
    padded = pad(picture, (0, 0, 1, 1, 1, 1))
    height, width, _ = padded.shape
    rows, columns = (rows + 1).clamp(0, height - 1), (columns + 1).clamp(0, width - 1)
    top, left = rows.floor().clamp(max=height - 2), columns.floor().clamp(max=width - 2)
    lower, later = (rows - top)[..., None], (columns - left)[..., None]
    corner = top.long() * width + left.long()
    pixels = padded.flatten(0, 1)
    above = pixels[corner] * (1 - later) + pixels[corner + 1] * later
    below = pixels[corner + width] * (1 - later) + pixels[corner + width + 1] * later
    return above * (1 - lower) + below * lower
