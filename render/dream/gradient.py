"""The gradient of each objective on stretches of padded canvas."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import TypeVar

import torch
from torch import Tensor

from render.dream.objective import Objective
from render.geometry.rect import Rect
from render.geometry.units import Place, Units
from render.networks.network import Network

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


Taken = TypeVar("Taken")


def gradients(
    network: Network,
    objectives: Iterable[Objective],
    padded: Tensor,
    inside: Rect,
    place: Place | None = None,
) -> list[Tensor]:
    """d objective / d canvas, for each of the objectives, on the pixels `inside`.

    `padded` is (h, w, 3) in normalised space, zeros where there is no picture; each result is
    (inside.height, inside.width, 3) in padded's type. `place` says where it lies, which only
    neurons need. One pass forward, one backward an objective.
    """
    pixels = padded.detach().permute(2, 0, 1).unsqueeze(0)
    places = () if place is None else (place,)
    return _passed(network, objectives, pixels, places, lambda g: _cut(g[0], inside))


def stacked_gradients(
    network: Network,
    objectives: Iterable[Objective],
    windows: Sequence[Tensor],
    insides: Sequence[Rect],
    slots: int,
    places: Sequence[Place] = (),
) -> list[list[Tensor]]:
    """The same for windows (h, w, 3) of one shape, all in one pass; a list for each window.

    The pass always has `slots` windows, filled up with zeros, so that kernels, which are chosen by
    shape, are the same however many windows there are. Raises ValueError for more than that.
    """
    if len(windows) > slots:
        raise ValueError(f"{len(windows)} windows do not fit a pass of {slots}")
    stack = windows[0].new_zeros((slots, *windows[0].shape))
    for slot, window in zip(stack, windows, strict=False):
        slot.copy_(window)

    def take(gradient: Tensor) -> list[Tensor]:
        return [_cut(slot, inside) for slot, inside in zip(gradient, insides, strict=False)]

    found = _passed(network, objectives, stack.permute(0, 3, 1, 2), places, take)
    return [list(one) for one in zip(*found, strict=True)]


def _passed(
    network: Network,
    objectives: Iterable[Objective],
    pixels: Tensor,
    places: Sequence[Place],
    take: Callable[[Tensor], Taken],
) -> list[Taken]:
    """What `take` takes of each objective's gradient (N, 3, h, w), before the next is computed."""
    asked = list(objectives)
    with torch.enable_grad():
        pixels.requires_grad_()
        seen = network.activations(pixels)
        found = []
        for position, objective in enumerate(asked):
            activations = seen[objective.seen]
            (gradient,) = torch.autograd.grad(
                activations,
                pixels,
                ascent(objective, activations, network, places),
                retain_graph=position + 1 < len(asked),
            )
            found.append(take(gradient))
    return found


def _cut(gradient: Tensor, inside: Rect) -> Tensor:
    """The pixels `inside` of one gradient (3, h, w), as (inside.height, inside.width, 3)."""
    rows, columns = inside.slices()
    return gradient.permute(1, 2, 0)[rows, columns].contiguous()
