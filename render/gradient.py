"""The gradient of each objective on stretches of padded canvas."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import torch
from torch import Tensor

from render.networks.network import Network
from render.objective import Objective
from render.rect import Rect
from render.response import ascent
from render.units import Place

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
