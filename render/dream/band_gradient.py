"""What each objective asks of a tile's core: its slope, and the pulls that are cut from it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from render.dream.config import Dream, Smooth, reach
from render.dream.gradient import gradients, stacked_gradients
from render.dream.objective import Objective
from render.geometry.rect import Rect, Size
from render.geometry.units import Place
from render.networks.network import Network
from render.pictures.colour import CORRELATION, STD

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


def toned(gradient: Tensor, dream: Dream) -> Tensor:
    """A gradient (h, w, 3) in the canvas's space, or what a dream leaves of it. Each pixel for
    itself, so it is exact on tiles.
    """
    if dream.keep is not None:
        return of_light(gradient)
    if dream.palette == "natural":
        return gradient @ _natural(gradient.dtype, gradient.device)
    return gradient


def of_light(gradient: Tensor) -> Tensor:
    """The part of a gradient (h, w, 3) that makes a pixel lighter or darker and nothing else.

    All three channels change by the same in rgb, so in the canvas's space by that over STD.
    """
    std = _deviation(gradient.dtype, gradient.device)
    return (gradient / std).sum(-1, keepdim=True) / std


@cache
def _deviation(dtype: torch.dtype, device: torch.device) -> Tensor:
    return torch.tensor(STD, dtype=dtype).to(device)


@cache
def _natural(dtype: torch.dtype, device: torch.device) -> Tensor:
    """From a gradient in the canvas's space to the steepest change among natural colours.

    Lucid climbs decorrelated colours u, rgb = A u, so a step there changes rgb by A A' g. With
    steps of plain gradient ascent that leaves next to no hue, so here it is the root of A A': hues
    count by their deviation in natural pictures, not by its square.
    """
    root = torch.tensor(CORRELATION, dtype=torch.float64)
    values, vectors = torch.linalg.eigh(root @ root.T)
    half = vectors @ torch.diag(values.clamp_min(0).sqrt()) @ vectors.T
    scale = torch.diag(1 / torch.tensor(STD, dtype=torch.float64))
    turned: Tensor = (scale @ half @ scale).to(device, dtype)
    return turned


@dataclass(frozen=True)
class View:
    """A tile's window, as a step's network sees it.

    pixels: (window.height, window.width, 3), zeros where there is no picture. window, core: in
    pixels of the picture. place: where the window lies on the padded canvas.
    """

    pixels: Tensor
    window: Rect
    core: Rect
    place: Place

    def inside(self, dream: Dream) -> Rect:
        """The pixels whose gradients are needed, in pixels of the window."""
        needed = known(self.core, self.size, dream)
        return needed.shifted(-self.window.top, -self.window.left)

    @property
    def size(self) -> Size:
        """The picture's."""
        return self.place.size


def slopes(
    network: Network, objectives: Sequence[Objective], dream: Dream, view: View
) -> list[Tensor]:
    """Each objective's gradient on the pixels that are `known`: (h, w, 3), in the dream's tones."""
    if not objectives:
        return []
    found = gradients(network, objectives, view.pixels, view.inside(dream), view.place)
    return [toned(gradient, dream) for gradient in found]


def stacked_slopes(
    network: Network,
    objectives: Sequence[Objective],
    dream: Dream,
    views: Sequence[View],
    slots: int,
) -> list[list[Tensor]]:
    """The same for views whose windows have one shape, in one pass of `slots` windows."""
    if not objectives:
        return [[] for _ in views]
    found = stacked_gradients(
        network,
        objectives,
        [view.pixels for view in views],
        [view.inside(dream) for view in views],
        slots,
        [view.place for view in views],
    )
    return [[toned(gradient, dream) for gradient in one] for one in found]


def known(core: Rect, size: Size, dream: Dream) -> Rect:
    """The pixels of a picture whose gradients a core needs: smoothing looks round it."""
    return core.grown(dream.margin).intersect(Rect(0, 0, *size))


def pulls(found: Sequence[Tensor], core: Rect, size: Size, dream: Dream) -> list[Tensor]:
    """For each objective's slope on a core's `known` pixels each of its bands on the core.

    Bands are cut twice, for the sums and for the update, and slopes are what is kept in between:
    bands would be several times as large.
    """
    if dream.smooth is None:
        return list(found)
    there = known(core, size, dream)
    return [band for slope in found for band in bands(slope, there, core, size, dream.smooth)]
