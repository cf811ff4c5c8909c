"""The gradient of each objective on stretches of padded canvas."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from torch import Tensor

from render.networks.network import Network
from render.objective import Mix
from render.rect import Rect
from render.response import ascent

Taken = TypeVar("Taken")


def gradients(network: Network, mix: Mix, padded: Tensor, inside: Rect) -> list[Tensor]:
    """d objective / d canvas, for each objective of the mix, on the pixels `inside`.

    `padded` is (h, w, 3) in normalised space, zeros where there is no picture; each result is
    (inside.height, inside.width, 3) in padded's type. One pass forward, one backward an objective.
    """
    pixels = padded.detach().permute(2, 0, 1).unsqueeze(0)
    return _passed(network, mix, pixels, lambda gradient: _cut(gradient[0], inside))


def stacked_gradients(
    network: Network, mix: Mix, windows: Sequence[Tensor], insides: Sequence[Rect], slots: int
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

    found = _passed(network, mix, stack.permute(0, 3, 1, 2), take)
    return [list(one) for one in zip(*found, strict=True)]


def _passed(
    network: Network, mix: Mix, pixels: Tensor, take: Callable[[Tensor], Taken]
) -> list[Taken]:
    """What `take` takes of each objective's gradient (N, 3, h, w), before the next is computed."""
    with torch.enable_grad():
        pixels.requires_grad_()
        seen = network.activations(pixels)
        found = []
        for position, objective in enumerate(mix):
            activations = seen[objective.layer]
            (gradient,) = torch.autograd.grad(
                activations,
                pixels,
                ascent(objective, activations),
                retain_graph=position + 1 < len(mix),
            )
            found.append(take(gradient))
    return found


def _cut(gradient: Tensor, inside: Rect) -> Tensor:
    """The pixels `inside` of one gradient (3, h, w), as (inside.height, inside.width, 3)."""
    rows, columns = inside.slices()
    return gradient.permute(1, 2, 0)[rows, columns].contiguous()
