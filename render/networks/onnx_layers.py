"""Layers of ONNX that torch has no module for."""

import torch
from torch import Tensor, nn


class MovedValues(nn.Module):
    """Base class. The output has the input's values at other places, and no others.

    So such a layer can be traced by running it.
    """


class RepeatedPixels(MovedValues):
    """Each pixel becomes a rectangle of equal pixels: (N, C, H, W) to (N, C, H * down, W * right).

    Nearest-neighbour interpolation by whole factors. Its gradient has a fixed order of sums.
    """

    def __init__(self, down: int, right: int) -> None:
        super().__init__()
        self.factors = down, right

    def forward(self, x: Tensor) -> Tensor:
        """Return the enlarged feature maps."""
        down, right = self.factors
        count, channels, rows, columns = x.shape
        spread = x[:, :, :, None, :, None].expand(-1, -1, -1, down, -1, right)
        return spread.reshape(count, channels, rows * down, columns * right)


class SplitAxis(MovedValues):
    """One axis becomes several, such as channels become groups of channels."""

    def __init__(self, axis: int, sizes: tuple[int, ...]) -> None:
        super().__init__()
        self.axis, self.sizes = axis, sizes

    def forward(self, x: Tensor) -> Tensor:
        """Return the same values with more axes."""
        return torch.unflatten(x, self.axis, self.sizes)


class MergedAxes(MovedValues):
    """Neighbouring axes, first to last, become one."""

    def __init__(self, first: int, last: int) -> None:
        super().__init__()
        self.first, self.last = first, last

    def forward(self, x: Tensor) -> Tensor:
        """Return the same values with fewer axes."""
        return torch.flatten(x, self.first, self.last)


class ScaledNegative(nn.Module):
    """PReLU: max(x, 0) + factor * min(x, 0). factor: one for each channel, or one for all.

    Unlike torch's, its factor may have another dtype than its input.
    """

    factor: Tensor

    def __init__(self, factor: Tensor) -> None:
        super().__init__()
        self.register_buffer("factor", factor)

    def forward(self, x: Tensor) -> Tensor:
        """Return the activations in the input's dtype."""
        return torch.where(x > 0, x, x * self.factor.to(x.dtype))


class ChannelMean(nn.Module):
    """The mean over the axis of channels, which stays with the length 1."""

    def __init__(self, axis: int) -> None:
        super().__init__()
        self.axis = axis

    def forward(self, x: Tensor) -> Tensor:
        """Return the mean at each position."""
        return x.mean(self.axis, keepdim=True)
