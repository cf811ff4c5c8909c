"""A tile's gradients, in the dream's colours, and their split into frequency bands.

Everything here is exact on tiles: a pixel's result depends only on gradients within the margin.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from render.dream.config import Dream, Smooth, gaussian_radius
from render.dream.gradient import batched_gradients, gradients
from render.dream.objective import Objective
from render.dream.search import searched_gradients
from render.geometry.edges import Edges, Span, axis_edges, clip
from render.geometry.rect import Rect, Size
from render.geometry.units import WindowPosition
from render.networks.network import Network
from render.pictures.colour import CORRELATION, STD

_BINOMIAL = (6 / 16, 4 / 16, 1 / 16)
"""The centre and one side of the five taps of Burt and Adelson, "The Laplacian Pyramid as a Compact
Image Code" (1983), a = 3/8."""


_Ends = tuple[Span | None, Span | None]
"""The picture's pixels along each axis; None for an axis without ends."""


def split_bands(
    gradient: Tensor, known: Rect, core: Rect, size: Size, smooth: Smooth, edges: Edges = "zero"
) -> list[Tensor]:
    """The frequency bands of a smoothed gradient on `core`, fine to coarse: each (h, w, 3).

    `gradient` is (known.height, known.width, 3). It covers all pixels within the margin around the
    core that lie in the picture of this size, or on an endless axis beyond it.
    """
    block = core.grown(smooth.margin)
    values = gradient.new_zeros((block.height, block.width, 3))
    values[known.slices(block[:2])] = gradient
    rows, columns = axis_edges(edges)
    ends = (
        (-block.top, size[0] - block.top) if rows == "zero" else None,
        (-block.left, size[1] - block.left) if columns == "zero" else None,
    )
    if smooth.laplacian is not None:
        bands = _laplacian(values, ends, len(smooth.laplacian))
    else:
        bands = [_gaussian(values, ends, smooth.gaussian or ())]
    inside = core.slices(block[:2])
    return [band[inside].contiguous() for band in bands]


def _laplacian(values: Tensor, ends: _Ends, count: int) -> list[Tensor]:
    """The differences of successive blurs, and the last blur: their sum is the gradient.

    The taps of each level are twice as far apart, instead of a picture of half the size (the
    "algorithme a trous", Holschneider et al. 1989). So the pyramid is the same at every position.
    """
    bands = []
    for level in range(count - 1):
        taps = [(step * 2**level, weight) for step, weight in enumerate(_BINOMIAL)]
        coarser = _blur(values, ends, taps)
        bands.append(values - coarser)
        values = coarser
    return [*bands, values]


def _gaussian(values: Tensor, ends: _Ends, sigmas: Sequence[float]) -> Tensor:
    """The mean of several Gaussian blurs."""
    total = torch.zeros_like(values)
    for sigma in sigmas:
        weights = [
            math.exp(-((step / sigma) ** 2) / 2) for step in range(gaussian_radius(sigma) + 1)
        ]
        norm = 2 * sum(weights) - weights[0]
        taps = [(step, weight / norm) for step, weight in enumerate(weights)]
        total += _blur(values, ends, taps)
    return total.div_(len(sigmas))


def _blur(values: Tensor, ends: _Ends, taps: Sequence[tuple[int, float]]) -> Tensor:
    """A separable blur, rows first; wrong near the ends of `values`, which belong to the margin."""
    for axis, picture in enumerate(ends):
        blurred = _convolve(values, axis, taps)
        if picture is not None:
            blurred.mul_(_border_scale(values, axis, picture, taps))
        values = blurred
    return values


def _convolve(values: Tensor, axis: int, taps: Sequence[tuple[int, float]]) -> Tensor:
    """A symmetric convolution along an axis, with zeros beyond the ends."""
    length = values.shape[axis]
    total = values * taps[0][1]
    for distance, weight in taps[1:]:
        rest = length - distance
        if rest > 0:
            total.narrow(axis, distance, rest).add_(values.narrow(axis, 0, rest), alpha=weight)
            total.narrow(axis, 0, rest).add_(values.narrow(axis, distance, rest), alpha=weight)
    return total


def _border_scale(
    values: Tensor, axis: int, picture: Span, taps: Sequence[tuple[int, float]]
) -> Tensor:
    """The factor that corrects for taps outside the picture: 1 away from its borders, 0 outside."""
    first, end = picture
    pixels = torch.arange(values.shape[axis])
    share = torch.zeros(len(pixels), dtype=torch.float64)
    for distance, weight in taps:
        for neighbours in (pixels - distance, pixels + distance)[: 2 if distance else 1]:
            share += weight * ((neighbours >= first) & (neighbours < end))
    inside = (pixels >= first) & (pixels < end)
    factor = torch.where(inside, 1 / share.clamp_min(1e-300), 0.0)
    shape = [-1 if dimension == axis else 1 for dimension in range(values.dim())]
    return factor.to(values).reshape(shape)


def project_gradient(gradient: Tensor, dream: Dream) -> Tensor:
    """The part of a gradient (h, w, 3) that the dream's `keep` and `palette` allow.

    Each pixel is projected on its own, so tiles are exact.
    """
    if dream.keep is not None:
        return lightness_part(gradient)
    if dream.palette == "natural":
        return _mixed(gradient, _natural(gradient.dtype, gradient.device))
    return gradient


def lightness_part(gradient: Tensor) -> Tensor:
    """The part of a gradient (h, w, 3) that changes lightness only.

    All three channels change by the same amount in rgb, which is that amount / STD on the canvas.
    """
    std = _std(gradient.dtype, gradient.device)
    red, green, blue = torch.split(gradient / std, 1, -1)
    return (red + green + blue) / std


def _mixed(gradient: Tensor, matrix: Tensor) -> Tensor:
    """gradient @ matrix, (h, w, 3) @ (3, 3), added in order: a matrix product may split sums."""
    red, green, blue = torch.split(gradient, 1, -1)
    return red * matrix[0] + green * matrix[1] + blue * matrix[2]


@cache
def _std(dtype: torch.dtype, device: torch.device) -> Tensor:
    return torch.tensor(STD, dtype=dtype).to(device)


@cache
def _natural(dtype: torch.dtype, device: torch.device) -> Tensor:
    """The matrix from a canvas gradient to the steepest ascent in decorrelated colours.

    Lucid optimises decorrelated colours u with rgb = A u, so a step there changes rgb by A A' g.
    With plain gradient ascent this leaves almost no hue. So this is the square root of A A': hues
    count by their standard deviation in natural pictures, not by their variance.
    """
    root = torch.tensor(CORRELATION, dtype=torch.float64)
    values, vectors = torch.linalg.eigh(root @ root.T)
    half = vectors @ torch.diag(values.clamp_min(0).sqrt()) @ vectors.T
    scale = torch.diag(1 / torch.tensor(STD, dtype=torch.float64))
    turned: Tensor = (scale @ half @ scale).to(device, dtype)
    return turned


@dataclass(frozen=True)
class TileView:
    """A tile's window: the pixels from which the network computes the gradient on the core.

    pixels: (window.height, window.width, 3), zeros where there is no picture.
    window, core: in pixels of the picture.
    position: where the window lies on the padded canvas.
    draw: which changes a search tries; see `Step`.
    """

    pixels: Tensor
    window: Rect
    core: Rect
    position: WindowPosition
    draw: int = 0

    def inside(self, dream: Dream) -> Rect:
        """The pixels whose gradient is needed, in pixels of the window."""
        needed = gradient_rect(self.core, self.size, dream)
        return needed.shifted(-self.window.top, -self.window.left)

    @property
    def size(self) -> Size:
        """The picture's height and width."""
        return self.position.size


def tile_gradients(
    network: Network, objectives: Sequence[Objective], dream: Dream, view: TileView
) -> list[Tensor]:
    """Each objective's gradient on the view's `gradient_rect`, as `keep` and `palette` allow."""
    if not objectives:
        return []
    if dream.ascent == "search":
        raw = searched_gradients(
            network, objectives, view.pixels, view.inside(dream), view.position, view.draw
        )
    else:
        raw = gradients(network, objectives, view.pixels, view.inside(dream), view.position)
    return [project_gradient(gradient, dream) for gradient in raw]


def batched_tile_gradients(
    network: Network,
    objectives: Sequence[Objective],
    dream: Dream,
    views: Sequence[TileView],
    windows_per_pass: int,
) -> list[list[Tensor]]:
    """The same for views whose windows have one shape, in one pass of the network."""
    if not objectives:
        return [[] for _ in views]
    if dream.ascent == "search":
        return [tile_gradients(network, objectives, dream, view) for view in views]
    raw = batched_gradients(
        network,
        objectives,
        [view.pixels for view in views],
        [view.inside(dream) for view in views],
        windows_per_pass,
        [view.position for view in views],
    )
    return [[project_gradient(gradient, dream) for gradient in one] for one in raw]


def gradient_rect(core: Rect, size: Size, dream: Dream) -> Rect:
    """The pixels whose gradient a core needs: its own, and the margin for smoothing."""
    return clip(core.grown(dream.margin), size, dream.edges)


def band_gradients(tile: Sequence[Tensor], core: Rect, size: Size, dream: Dream) -> list[Tensor]:
    """The frequency bands on a core of a tile's gradients, objective by objective, fine to coarse.

    `tile` is what `tile_gradients` returned. Engines call this twice, for the sums and for the
    update, and store the tile's gradients in between: bands need several times the memory.
    """
    if dream.smoothing is None:
        return list(tile)
    known = gradient_rect(core, size, dream)
    return [
        band
        for gradient in tile
        for band in split_bands(gradient, known, core, size, dream.smoothing, dream.edges)
    ]
