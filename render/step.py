"""One gradient ascent step: sums over tiles, one scale an objective (`render.scale`), the update.

The picture changes by step_size times g / mean|g|, the mean being over all pixels and channels of
the octave (Mordvintsev et al. 2015). In a mix each objective's gradient is divided by its own mean
first, so weights compare layers whose gradients differ by orders of magnitude; they are divided by
the sum of their magnitudes, so that step_size means the same in every mix.
"""

from functools import cache

import torch
from torch import Tensor

from render.pictures.colour import BLACK, WHITE


def magnitudes(gradients: list[Tensor]) -> Tensor:
    """The sum of |g| of each objective's gradient on one tile: (objectives,) of float64."""
    return torch.stack([g.abs().sum(dtype=torch.float64) for g in gradients])


def ascend(
    canvas: Tensor, gradients: list[Tensor], scales: tuple[float, ...], step_size: float
) -> Tensor:
    """The canvas after one step, clamped to colours that exist."""
    change = torch.zeros_like(canvas)
    for gradient, scale in zip(gradients, scales, strict=True):
        change += gradient * scale
    return clamped(canvas + change * step_size)


def clamped(canvas: Tensor) -> Tensor:
    """Each channel between its black and its white."""
    return canvas.clamp(*_limits(canvas.dtype, canvas.device))


@cache
def _limits(dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor]:
    """Black and white on a device, sent there once."""
    black, white = torch.tensor(BLACK, dtype=dtype), torch.tensor(WHITE, dtype=dtype)
    return black.to(device), white.to(device)
