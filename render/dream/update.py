"""The torch of one gradient ascent step: a tile's sums, and its update.

The picture changes by the step's length times g / mean|g|, the mean being over all pixels and
channels of the octave (Mordvintsev et al. 2015; see `render.dream.step`).
"""

from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor

from render.dream.config import Dream, Keep
from render.pictures.colour import BLACK, MEAN, STD, WHITE

_PLAIN = Dream(limit="hard")


_QUARTER = 0.25  # of the way from black to white


def magnitudes(pulls: Sequence[Tensor]) -> Tensor:
    """The sum of |g| of each pull on one tile: (pulls,) of float64."""
    if not pulls:
        return torch.zeros(0, dtype=torch.float64)
    return torch.stack([pull.abs().sum(dtype=torch.float64) for pull in pulls])


def ascend(
    canvas: Tensor,
    pulls: Sequence[Tensor],
    scales: Sequence[float],
    masks: Sequence[Tensor | None] = (),
    strength: Tensor | None = None,
    dream: Dream = _PLAIN,
) -> Tensor:
    """The canvas (h, w, 3) after one step of a dream.

    `masks` says where each pull counts, and `strength` where anything does: (h, w, 1), 0 to 1.
    """
    change = torch.zeros_like(canvas)
    for place, (pull, scale) in enumerate(zip(pulls, scales, strict=True)):
        mask = masks[place] if masks else None
        change += pull * scale if mask is None else pull * scale * mask
    if strength is not None:
        change *= strength
    if dream.limit == "soft":
        change = _gently(canvas, change, dream.keep)
    return settled(canvas, change, dream.keep)


def _gently(canvas: Tensor, change: Tensor, keep: Keep | None) -> Tensor:
    """A change that slows down in the last quarter before black or white, and never arrives."""
    mean, std = _colours(canvas.dtype, canvas.device)
    rgb = canvas * std + mean
    up, down = 1 - rgb, rgb
    if keep is not None:
        # All channels of a pixel slow down together.
        up, down = up.amin(-1, keepdim=True), down.amin(-1, keepdim=True)
    return change * (torch.where(change > 0, up, down) / _QUARTER).clamp(0, 1)


def settled(canvas: Tensor, change: Tensor, keep: Keep | None) -> Tensor:
    """The canvas changed as far as there are colours: each channel between black and white.

    To keep colours all channels of a pixel change by the same, in rgb, and stop together.
    """
    if keep is None:
        return clamped(canvas + change)
    mean, std = _colours(canvas.dtype, canvas.device)
    rgb = canvas * std + mean
    darkest, lightest = rgb.amin(-1, keepdim=True), rgb.amax(-1, keepdim=True)
    light = (change[..., :1] * std[0]).clamp(-darkest, 1 - lightest)
    return clamped(canvas + light / std)


def clamped(canvas: Tensor) -> Tensor:
    """Each channel between its black and its white."""
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
