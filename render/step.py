"""One gradient ascent step: sums over tiles, one scale an objective, the update.

The picture changes by step_size times g / mean|g|, the mean being over all pixels and channels of
the octave (Mordvintsev et al. 2015). In a mix each objective's gradient is divided by its own mean
first, so weights compare layers whose gradients differ by orders of magnitude; they are divided by
the sum of their magnitudes, so that step_size means the same in every mix.
"""

import math
from collections.abc import Iterable
from functools import cache

import torch
from torch import Tensor

from render.errors import RenderError
from render.objective import Mix
from render.pictures.colour import BLACK, WHITE
from render.rect import Size

_DEAD = torch.finfo(torch.float32).tiny  # mean |g| whose reciprocal float32 could not hold


def magnitudes(gradients: list[Tensor]) -> Tensor:
    """The sum of |g| of each objective's gradient on one tile: (objectives,) of float64."""
    return torch.stack([g.abs().sum(dtype=torch.float64) for g in gradients])


def scales(mix: Mix, sums: Iterable[tuple[float, ...]], size: Size) -> tuple[float, ...]:
    """What each objective's gradient is multiplied by, from the tiles' magnitudes in tile order.

    An objective without any gradient (a layer that is dead all over the picture) gets 0. Raises
    RenderError where gradients are not finite: weights are broken, or the precision too narrow.
    """
    totals = [0.0] * len(mix)
    for tile in sums:
        totals = [total + part for total, part in zip(totals, tile, strict=True)]
    if not all(map(math.isfinite, totals)):
        raise RenderError(
            "gradients are not finite: the weights are damaged, or the precision is too narrow; "
            "check the weights file, or use precision: float32"
        )
    shares = sum(abs(objective.weight) for objective in mix)
    means = [total / (size[0] * size[1] * 3) for total in totals]
    return tuple(
        objective.weight / shares / mean if mean > _DEAD else 0.0
        for objective, mean in zip(mix, means, strict=True)
    )


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
