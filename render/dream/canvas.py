"""What changes the canvas: the start of an octave, and the update of a gradient ascent step.

Octave    x <- base + detail. The detail is the canvas minus the base of the previous octave,
          resampled to the new size. The base is taken again from the input, which is sharper
          (Mordvintsev et al. 2015).
Update    x <- clip(x + eta m sum_kb (w_k / sum|w|) c_b m_k (g_kb / mean|g_kb|)). The symbols
          are those of `render.dream.reference`. `abs_sums` gives what the means need. From the sums
          of all tiles `render.dream.step.step_scales` makes the scales
          eta (w_k / sum|w|) c_b / mean|g_kb|.
          `ascend` applies them and the masks m and m_k.

All functions work on any part of the picture.
"""

from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor

from render.dream.config import Dream, KeptColours
from render.dream.plane import Read
from render.dream.resample import resample
from render.geometry.edges import Edges
from render.geometry.rect import Rect, Size
from render.pictures.colour import BLACK, MEAN, STD, WHITE

_HARD_LIMIT = Dream(limit="hard")

_SOFT_RANGE = 0.25  # of the range from black to white


def octave_base(read: Read, source: Size, size: Size, rect: Rect, edges: Edges = "zero") -> Tensor:
    """The input of size `source` resampled to an octave's size: its pixels `rect`, (h, w, 3)."""
    return clamp_canvas(resample(read, source, size, rect, edges))


def add_detail(
    base: Tensor, detail: Read, previous: Size, size: Size, rect: Rect, dream: Dream
) -> Tensor:
    """The base's pixels `rect` plus the detail of the previous octave, resampled: (h, w, 3)."""
    return apply_change(base, resample(detail, previous, size, rect, dream.edges), dream.keep)


def abs_sums(bands: Sequence[Tensor]) -> Tensor:
    """The sum of |g| of each band gradient (h, w, 3) on one tile: (bands,) of float64.

    Rows are summed first. A row belongs to one thread, so no sum depends on the number of threads.
    """
    if not bands:
        return torch.zeros(0, dtype=torch.float64)
    return torch.stack([_sum_of_rows(band.abs()) for band in bands])


def _sum_of_rows(values: Tensor) -> Tensor:
    return values.flatten(1).sum(1, dtype=torch.float64).cumsum(0)[-1]


def ascend(
    canvas: Tensor,
    bands: Sequence[Tensor],
    scales: Sequence[float],
    masks: Sequence[Tensor | None] = (),
    strength: Tensor | None = None,
    dream: Dream = _HARD_LIMIT,
) -> Tensor:
    """The canvas (h, w, 3) after one step: each band gradient times its scale is added to it.

    `masks` are the weights of each band, and `strength` of the whole change: (h, w, 1), 0 to 1.
    """
    change = torch.zeros_like(canvas)
    for number, (band, scale) in enumerate(zip(bands, scales, strict=True)):
        mask = masks[number] if masks else None
        change += band * scale if mask is None else band * scale * mask
    if strength is not None:
        change *= strength
    if dream.limit == "soft":
        change = _soft_limit(canvas, change, dream.keep)
    return apply_change(canvas, change, dream.keep)


def _soft_limit(canvas: Tensor, change: Tensor, keep: KeptColours | None) -> Tensor:
    """The change, reduced in the last quarter before black and white, to 0 at the limit."""
    mean, std = _colours(canvas.dtype, canvas.device)
    rgb = canvas * std + mean
    up, down = 1 - rgb, rgb
    if keep is not None:
        # All channels of a pixel slow down together.
        up, down = up.amin(-1, keepdim=True), down.amin(-1, keepdim=True)
    return change * (torch.where(change > 0, up, down) / _SOFT_RANGE).clamp(0, 1)


def apply_change(canvas: Tensor, change: Tensor, keep: KeptColours | None) -> Tensor:
    """The canvas plus a change, clipped to the range of colours: each channel black to white.

    If colours are kept, all channels of a pixel change by the same amount in rgb, and stop
    together.
    """
    if keep is None:
        return clamp_canvas(canvas + change)
    mean, std = _colours(canvas.dtype, canvas.device)
    rgb = canvas * std + mean
    darkest, lightest = rgb.amin(-1, keepdim=True), rgb.amax(-1, keepdim=True)
    light = (change[..., :1] * std[0]).clamp(-darkest, 1 - lightest)
    return clamp_canvas(canvas + light / std)


def blend(old: Tensor, new: Tensor, weights: Tensor) -> Tensor:
    """Pixels (h, w, 3) from the old ones, where `weights` (h, w, 1) are 0, to the new ones at 1.

    There they are exactly the old or the new ones.
    """
    between = torch.where(weights > 0, old + weights * (new - old), old)
    return torch.where(weights < 1, between, new)


def clamp_canvas(canvas: Tensor) -> Tensor:
    """The canvas with each channel clipped to its black and white."""
    return canvas.clamp(*_limits(canvas.dtype, canvas.device))


@cache
def _limits(dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    """Black and white on a device, sent there once."""
    black, white = torch.tensor(BLACK, dtype=dtype), torch.tensor(WHITE, dtype=dtype)
    return black.to(device), white.to(device)


@cache
def _colours(dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    """MEAN and STD on a device, sent there once."""
    mean, std = torch.tensor(MEAN, dtype=dtype), torch.tensor(STD, dtype=dtype)
    return mean.to(device), std.to(device)
