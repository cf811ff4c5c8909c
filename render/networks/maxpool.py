"""Max-pooling with a deterministic gradient on CUDA."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


class _GatherMaxPool(torch.autograd.Function):
    """torch's forward pass, with a backward pass that gathers instead of scattering.

    For channels_last inputs torch's CUDA backward pass adds with atomics, in an order that varies,
    and raises in deterministic mode. This backward pass goes through the offsets of the window in
    a fixed order and adds each output's gradient to the input that was its maximum.
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
        # Large enough for every window, with those that cross the borders.
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


class DeterministicMaxPool2d(torch.nn.Module):
    """torch.nn.MaxPool2d without dilation: (N, C, H, W) to (N, C, H', W')."""

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
        """Return the maximum of each window."""
        pooled: Tensor = _GatherMaxPool.apply(x, *self.settings)
        return pooled
