"""Max-pooling whose gradient is the same bytes every time, on CUDA too."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


class _MaxPool(torch.autograd.Function):
    """torch's forward pass; a backward pass that gathers instead of scattering.

    torch's CUDA backward adds with atomics in an order that changes from run to run, for
    channels_last inputs, and raises in deterministic mode. Here every offset in the window, in a
    fixed order, hands its outputs' gradients to the inputs they were taken from.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        kernel: tuple[int, int],
        stride: tuple[int, int],
        padding: tuple[int, int],
        ceil_mode: bool,
    ) -> Tensor:
        pooled, winners = functional.max_pool2d(
            x, kernel, stride, padding, ceil_mode=ceil_mode, return_indices=True
        )
        ctx.save_for_backward(winners)
        ctx.geometry = (x.shape, kernel, stride, padding)
        return pooled

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        (winners,) = ctx.saved_tensors
        (batch, channels, height, width), kernel, stride, padding = ctx.geometry
        grad = grads[0]
        rows, columns = grad.shape[2:]
        # A frame wide enough for every window, those that hang over the borders too.
        frame = grad.new_zeros(
            (
                batch,
                channels,
                max(height + padding[0], (rows - 1) * stride[0] + kernel[0]),
                max(width + padding[1], (columns - 1) * stride[1] + kernel[1]),
            )
        ).contiguous(memory_format=torch.channels_last)
        tops = torch.arange(rows, device=grad.device)[:, None] * stride[0] - padding[0]
        lefts = torch.arange(columns, device=grad.device) * stride[1] - padding[1]
        for down in range(kernel[0]):
            for right in range(kernel[1]):
                here = (tops + down) * width + (lefts + right)
                frame[
                    :,
                    :,
                    down : down + (rows - 1) * stride[0] + 1 : stride[0],
                    right : right + (columns - 1) * stride[1] + 1 : stride[1],
                ] += grad * (winners == here)
        inside = frame[
            :, :, padding[0] : padding[0] + height, padding[1] : padding[1] + width
        ].contiguous(memory_format=torch.channels_last)
        return inside, None, None, None, None


class MaxPool(torch.nn.Module):
    """As torch.nn.MaxPool2d without dilation: (N, C, H, W) to (N, C, H', W')."""

    def __init__(
        self,
        kernel: tuple[int, int],
        stride: tuple[int, int],
        padding: tuple[int, int],
        ceil_mode: bool,
    ) -> None:
        super().__init__()
        self.settings = (kernel, stride, padding, ceil_mode)

    def forward(self, x: Tensor) -> Tensor:
        """The maximum over each window."""
        pooled: Tensor = _MaxPool.apply(x, *self.settings)
        return pooled
