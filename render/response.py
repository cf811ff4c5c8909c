"""How an objective looks at its layer: what it adds up over positions, and which way is up."""

from functools import cache

import torch
from torch import Tensor

from render.objective import Objective


def ascent(objective: Objective, activations: Tensor) -> Tensor:
    """The derivative of the objective by its layer's activations, both (N, C, h, w).

    The objective is half the sum of squares over positions and channels (Mordvintsev et al. 2015,
    "objective_L2"), whose derivative is the activations themselves; a choice of channels takes the
    others' part away. It is a sum over positions, so a tile's gradient needs no other tile.
    Weights are applied later, where each objective's gradient is known over the whole picture.
    """
    up = activations.detach()
    if objective.channels is None:
        return up
    return up * _mask(objective.channels, up.shape[1], up.dtype, up.device)


@cache
def _mask(
    channels: tuple[int, ...], count: int, dtype: torch.dtype, device: torch.device
) -> Tensor:
    """1 for the chosen channels, 0 for the others: (count, 1, 1), sent to the device once."""
    mask = torch.zeros(count, 1, 1, dtype=dtype)
    mask[list(channels)] = 1
    return mask.to(device)
