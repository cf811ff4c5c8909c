"""Resampling by any factor, one rectangle of the result at a time, with identical bits.

The kernel is Catmull-Rom's cubic (Keys 1981, a = -1/2). It is widened by the factor if the picture
shrinks, which prevents aliasing. It is separable, rows first. The weights come from global
coordinates, and the terms of each sum are added in order, one multiplication and one addition at a
time. So the division of the result into rectangles cannot change any bit.

At an end of the picture the kernel is cut, or it reads round the edge if the picture wraps.
"""

import torch
from torch import Tensor

from render.dream.plane import Read, endless
from render.geometry.edges import Edge, Edges, axis_edges
from render.geometry.rect import Rect, Size

_SUPPORT = 2.0  # of the kernel, in source pixels if the picture grows

_MAX_READ = 1 << 20  # source pixels read at once: 12 MiB of float32


def resample(read: Read, source: Size, target: Size, rect: Rect, edges: Edges = "zero") -> Tensor:
    """The pixels `rect` of a picture of size `source`, resampled to size `target`.

    Returns (rect.height, rect.width, C) in the dtype that `read` returns, overshoots included.
    Source pixels are read in pieces of about a megapixel, even if the picture shrinks a lot.
    `edges` that wrap are read round; the others cut the kernel.
    """
    if source == target:
        return read(rect)
    return _resample(endless(read, source, edges), source, target, rect, axis_edges(edges))


def _resample(
    read: Read, source: Size, target: Size, rect: Rect, edges: tuple[Edge, Edge]
) -> Tensor:
    rows = AxisTaps(source[0], target[0], rect.top, rect.bottom, edges[0])
    columns = AxisTaps(source[1], target[1], rect.left, rect.right, edges[1])
    if rows.length * columns.length > _MAX_READ and rect.area > 1:
        first, second, axis = _halves(rect)
        parts = [_resample(read, source, target, half, edges) for half in (first, second)]
        return torch.cat(parts, dim=axis)
    block = read(Rect(rows.start, columns.start, rows.stop, columns.stop))
    return columns.blend(rows.blend(block, 0), 1)


def _halves(rect: Rect) -> tuple[Rect, Rect, int]:
    if rect.height >= rect.width:
        middle = rect.top + rect.height // 2
        return rect._replace(bottom=middle), rect._replace(top=middle), 0
    middle = rect.left + rect.width // 2
    return rect._replace(right=middle), rect._replace(left=middle), 1


class AxisTaps:
    """The source pixels and weights for the target pixels [first, last) along one axis.

    If the axis wraps, source pixels may lie before or behind the picture.
    """

    def __init__(
        self, source: int, target: int, first: int, last: int, edge: Edge = "zero"
    ) -> None:
        scale = source / target
        widening = max(scale, 1.0)
        reach = _SUPPORT * widening
        if edge == "wrap":
            origins, centres = _phases(source, target, first, last)
        else:
            origins = torch.zeros(last - first, dtype=torch.long)
            centres = (torch.arange(first, last, dtype=torch.float64) + 0.5) * scale
        lowest = torch.floor(centres - reach + 0.5).long()
        taps = lowest[:, None] + torch.arange(int(2 * reach) + 2)
        weights = _cubic((taps + 0.5 - centres[:, None]) / widening)
        taps += origins[:, None]
        if edge != "wrap":
            weights = weights * ((taps >= 0) & (taps < source))
            taps = taps.clamp(0, source - 1)
        self.weights = weights / _ordered_sum(weights)[:, None]
        self.start, self.stop = int(taps.min()), int(taps.max()) + 1
        self.taps = taps - self.start

    @property
    def length(self) -> int:
        """The number of source pixels along the axis."""
        return self.stop - self.start

    def blend(self, block: Tensor, axis: int) -> Tensor:
        """The weighted sums along an axis of a block that starts at `self.start`."""
        shape = [-1 if dimension == axis else 1 for dimension in range(block.dim())]
        weights = self.weights.to(block.dtype)
        total = weights[:, 0].reshape(shape) * block.index_select(axis, self.taps[:, 0])
        for tap in range(1, self.taps.shape[1]):
            term = block.index_select(axis, self.taps[:, tap])
            total += term.mul_(weights[:, tap].reshape(shape))
        return total


def _phases(source: int, target: int, first: int, last: int) -> tuple[Tensor, Tensor]:
    """The centres of target pixels as whole source pixels, and what is left of each.

    Whole numbers give both. So pixels at the same phase have the same weights, bit for bit, and on
    a torus a shifted picture is resampled to a shifted picture.
    """
    halves = (2 * torch.arange(first, last) + 1) * source
    origins = torch.div(halves, 2 * target, rounding_mode="floor")
    return origins, (halves - origins * 2 * target).double() / (2 * target)


def _ordered_sum(weights: Tensor) -> Tensor:
    """The sums over the last axis, in the order of its terms, for every shape."""
    total = torch.zeros(weights.shape[0], dtype=weights.dtype)
    for column in weights.unbind(1):
        total = total + column
    return total


def _cubic(distance: Tensor) -> Tensor:
    """Keys's kernel with a = -1/2; zero from distance 2 on."""
    x = distance.abs()
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return torch.where(x < 1, near, torch.where(x < _SUPPORT, far, 0.0))
