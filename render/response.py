"""How an objective looks at its layer: what it adds up over positions, and which way is up."""

from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor

from render.networks.network import Network
from render.objective import Objective
from render.units import Place, Units

_AT_ONCE = 1 << 22  # products of positions and a guide's, which lie in memory together


def ascent(
    objective: Objective, activations: Tensor, network: Network, places: Sequence[Place] = ()
) -> Tensor:
    """The derivative of the objective by its layer's activations, both (N, C, h, w).

    The objective is half the sum of squares over positions and channels (Mordvintsev et al. 2015,
    "objective_L2"), whose derivative is the activations themselves. Classes and neurons are the
    plain sum, whose derivative is 1. A choice of channels, or of positions, takes the others' part
    away. With a guide each position is drawn to the guide's that has the largest product with it,
    as in that notebook. All are sums over positions, so a tile's gradient needs no other tile.
    Weights are applied later, where each objective's gradient is known over the whole picture.

    `places` says where each of the N windows lies; only neurons need it.
    """
    seen = activations.detach()
    if objective.guide is not None:
        return _guided(seen, network.guides[objective.seen, objective.guide])
    up = torch.ones_like(seen) if objective.is_linear else seen
    if objective.numbers is not None:
        up = up * _mask(objective.numbers, up.shape[1], up.dtype, up.device)
    if objective.at is not None:
        up = up * _spots(objective.at, up, network.units[objective.seen], places)
    return up


@cache
def _mask(
    channels: tuple[int, ...], count: int, dtype: torch.dtype, device: torch.device
) -> Tensor:
    """1 for the chosen channels, 0 for the others: (count, 1, 1), sent to the device once."""
    mask = torch.zeros(count, 1, 1, dtype=dtype)
    mask[list(channels)] = 1
    return mask.to(device)


def _spots(
    at: Sequence[tuple[float, float]], like: Tensor, units: Units, places: Sequence[Place]
) -> Tensor:
    """1 where a neuron is looked for, 0 elsewhere: (N, 1, h, w)."""
    count, _, rows, columns = like.shape
    spots = torch.zeros((count, 1, rows, columns), dtype=like.dtype)
    for spot, place in zip(spots, places, strict=False):
        for row, column in (place.unit(units, one) for one in at):
            if 0 <= row < rows and 0 <= column < columns:
                spot[0, row, column] = 1
    return spots.to(like.device)


def _guided(seen: Tensor, guide: Tensor) -> Tensor:
    """For each position the vector of the guide, (positions, C), with the largest product."""
    count, channels, rows, columns = seen.shape
    vectors = seen.permute(0, 2, 3, 1).reshape(-1, channels)
    step = max(1, _AT_ONCE // len(guide))
    chosen = [guide[(some @ guide.T).argmax(1)] for some in torch.split(vectors, step)]
    return torch.cat(chosen).reshape(count, rows, columns, channels).permute(0, 3, 1, 2)
