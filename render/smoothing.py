"""Gradients smoothed on a tile as they would be on the whole picture.

Beyond the picture's borders there is no gradient: there the weights of what is left are made 1
again, by global coordinates, so that every tile does the same.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from render.rect import Rect, Size
from render.smooth import Smooth, reach

_BINOMIAL = (6 / 16, 4 / 16, 1 / 16)
"""The middle and one side of the five taps of Burt and Adelson, "The Laplacian Pyramid as a Compact
Image Code" (1983), a = 3/8."""


def bands(gradient: Tensor, known: Rect, core: Rect, size: Size, smooth: Smooth) -> list[Tensor]:
    """The smoothed gradient on `core` in its bands, fine to coarse: each (h, w, 3).

    `gradient` is (known.height, known.width, 3), on all pixels of the picture of that size that lie
    within the margin round the core.
    """
    block = core.grown(smooth.margin)
    values = gradient.new_zeros((block.height, block.width, 3))
    values[known.slices(block[:2])] = gradient
    if smooth.laplacian is not None:
        found = _laplacian(values, block, size, len(smooth.laplacian))
    else:
        found = [_gaussian(values, block, size, smooth.gaussian or ())]
    inside = core.slices(block[:2])
    return [one[inside].contiguous() for one in found]


def _laplacian(values: Tensor, block: Rect, size: Size, count: int) -> list[Tensor]:
    """What each further blur takes away, and what is left: their sum is the gradient.

    The taps are twice as far apart at each level instead of the picture half as large (the
    "algorithme a trous", Holschneider et al. 1989), which is the same pyramid at every position.
    """
    found = []
    for level in range(count - 1):
        taps = [(step * 2**level, weight) for step, weight in enumerate(_BINOMIAL)]
        coarser = _blurred(values, block, size, taps)
        found.append(values - coarser)
        values = coarser
    return [*found, values]


def _gaussian(values: Tensor, block: Rect, size: Size, sigmas: Sequence[float]) -> Tensor:
    total = torch.zeros_like(values)
    for sigma in sigmas:
        weights = [math.exp(-((step / sigma) ** 2) / 2) for step in range(reach(sigma) + 1)]
        whole = 2 * sum(weights) - weights[0]
        taps = [(step, weight / whole) for step, weight in enumerate(weights)]
        total += _blurred(values, block, size, taps)
    return total.div_(len(sigmas))


def _blurred(values: Tensor, block: Rect, size: Size, taps: Sequence[tuple[int, float]]) -> Tensor:
    """Blurred down, then across; wrong near the block's ends, which are the margin."""
    for axis, start in ((0, block.top), (1, block.left)):
        values = _along(values, axis, taps).mul_(_balance(values, axis, start, size[axis], taps))
    return values


def _along(values: Tensor, axis: int, taps: Sequence[tuple[int, float]]) -> Tensor:
    length = values.shape[axis]
    total = values * taps[0][1]
    for distance, weight in taps[1:]:
        rest = length - distance
        if rest > 0:
            total.narrow(axis, distance, rest).add_(values.narrow(axis, 0, rest), alpha=weight)
            total.narrow(axis, 0, rest).add_(values.narrow(axis, distance, rest), alpha=weight)
    return total


def _balance(
    values: Tensor, axis: int, start: int, side: int, taps: Sequence[tuple[int, float]]
) -> Tensor:
    """By what blurred pixels are multiplied: 1 away from the picture's borders, 0 beyond them."""
    places = torch.arange(start, start + values.shape[axis])
    share = torch.zeros(len(places), dtype=torch.float64)
    for distance, weight in taps:
        for there in (places - distance, places + distance)[: 2 if distance else 1]:
            share += weight * ((there >= 0) & (there < side))
    inside = (places >= 0) & (places < side)
    factor = torch.where(inside, 1 / share.clamp_min(1e-300), 0.0)
    shape = [-1 if dimension == axis else 1 for dimension in range(values.dim())]
    return factor.to(values).reshape(shape)
