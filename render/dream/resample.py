"""Resampling by any factor, one rectangle of the result at a time, with identical bits.

The kernel is Catmull-Rom's cubic (Keys 1981, a = -1/2). It is widened by the factor if the picture
shrinks, which prevents aliasing. It is separable, rows first. The weights come from global
coordinates, and the terms of each sum are added in order, one multiplication and one addition at a
time. So the division of the result into rectangles cannot change any bit.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from render.geometry.rect import Rect, Size

Read = Callable[[Rect], Tensor]
"""Returns the (h, w, C) pixels of a rectangle of a picture."""


_SUPPORT = 2.0  # of the kernel, in source pixels if the picture grows

_MAX_READ = 1 << 20  # source pixels read at once: 12 MiB of float32


def resample(read: Read, source: Size, target: Size, rect: Rect) -> Tensor:
    """The pixels `rect` of a picture of size `source`, resampled to size `target`.

    Returns (rect.height, rect.width, C) in the dtype that `read` returns, overshoots included.
    Source pixels are read in pieces of about a megapixel, even if the picture shrinks a lot.
    """
    if source == target:
        return read(rect)
    rows = AxisTaps(source[0], target[0], rect.top, rect.bottom)
    columns = AxisTaps(source[1], target[1], rect.left, rect.right)
    if rows.length * columns.length > _MAX_READ and rect.area > 1:
        first, second, axis = _halves(rect)
        parts = [resample(read, source, target, half) for half in (first, second)]
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
    """The source pixels and weights for the target pixels [first, last) along one axis."""

    def __init__(self, source: int, target: int, first: int, last: int) -> None:
        scale = source / target
        widening = max(scale, 1.0)
        reach = _SUPPORT * widening
        centres = (torch.arange(first, last, dtype=torch.float64) + 0.5) * scale
        lowest = torch.floor(centres - reach + 0.5).long()
        taps = lowest[:, None] + torch.arange(int(2 * reach) + 2)
        weights = _cubic((taps + 0.5 - centres[:, None]) / widening)
        weights = weights * ((taps >= 0) & (taps < source))
        self.weights = weights / _ordered_sum(weights)[:, None]
        taps = taps.clamp(0, source - 1)
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
