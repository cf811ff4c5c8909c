"""Layers of the networks of 2012 to 2015, as Caffe and TensorFlow had them."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional


class LocalResponseNorm(nn.Module):
    """Local response normalisation across channels: x / (k + alpha / size * sum of x^2) ** beta.

    The sum runs over `size` neighbouring channels at the same position (Krizhevsky et al., 2012).
    It equals torch.nn.LocalResponseNorm, but its gradient on CUDA has a fixed order of sums.
    """

    def __init__(self, size: int, alpha: float, beta: float, k: float = 1.0) -> None:
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised activations, (N, C, H, W)."""
        before = self.size // 2
        squares = functional.pad(x * x, (0, 0, 0, 0, before, self.size - 1 - before))
        total = squares[:, : x.shape[1]]
        for shift in range(1, self.size):
            total = total + squares[:, shift : shift + x.shape[1]]
        return x * (self.k + self.alpha / self.size * total) ** -self.beta


class ConvolutionReLU(nn.Module):
    """Convolution with bias, then ReLU; as in Caffe both are one layer.

    padding: of a side, or (left, right, top, bottom).
    """

    def __init__(
        self,
        channels: tuple[int, int],
        side: int,
        stride: int = 1,
        padding: int | tuple[int, int, int, int] | None = None,
        groups: int = 1,
    ) -> None:
        super().__init__()
        even = side // 2 if padding is None else padding
        self.uneven = even if isinstance(even, tuple) else None
        inside = even if isinstance(even, int) else 0
        self.conv = nn.Conv2d(*channels, side, stride, padding=inside, groups=groups)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Return the activations after ReLU."""
        if self.uneven is not None:
            x = functional.pad(x, self.uneven)
        out: Tensor = self.relu(self.conv(x))
        return out


class LinearReLU(nn.Module):
    """Linear layer, then ReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Return the activations after ReLU."""
        out: Tensor = self.relu(self.linear(x))
        return out


class Concatenation(nn.Module):
    """Concatenates feature maps along channels."""

    def forward(self, *parts: Tensor) -> Tensor:
        """Return (N, sum of channels, H, W)."""
        return torch.cat(parts, 1)


def ceil_pool() -> nn.MaxPool2d:
    """Return Caffe's usual pool: 3 x 3, stride 2, and a last window that may cross the border."""
    return nn.MaxPool2d(3, stride=2, ceil_mode=True)


def layer_parameters(network: nn.Module) -> Iterator[tuple[str, str, str]]:
    """Yield each parameter's name, its layer as Caffe names it, and `weight` or `bias`."""
    for name in network.state_dict():
        layer, _, kind = name.rpartition(".")
        yield name, layer.removesuffix(".conv").removesuffix(".linear"), kind
