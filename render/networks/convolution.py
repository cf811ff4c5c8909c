"""oneDNN's convolutions on CPUs: fast, and with sums that only the number of threads decides.

torch sends some convolutions to MKL, which splits its sums by the cores that it finds. Here every
sum is one of oneDNN's forward convolutions, which is also faster. Their bits follow from the number
of threads alone, so workers use a fixed number (`RenderSetup.threads`) on any number of cores. An
input gradient is a forward convolution as well:

Stride 1    with the kernel flipped and its channels exchanged.
Stride s    input pixels of equal phase (row mod s, column mod s) meet the same part of the kernel,
            so each phase is a convolution with stride 1 (the sub-pixel convolution of Shi et al.,
            CVPR 2016, backwards).
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

Pair = tuple[int, int]


def has_fixed_convolutions(dtype: torch.dtype) -> bool:
    """Whether oneDNN has convolutions in a dtype on this machine's CPU; it has none in float64."""
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    if dtype == torch.bfloat16:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return dtype == torch.float32


@dataclass(frozen=True)
class _Kernel:
    """One forward convolution with fixed weights."""

    weight: Tensor
    bias: Tensor | None
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1

    def __call__(self, x: Tensor, *, relu: bool = False) -> Tensor:
        """Convolve (N, C, H, W), and apply ReLU in the same pass."""
        geometry = self.padding, self.stride, self.dilation, self.groups
        if x.device.type == "cpu":
            found: Tensor = torch.ops.mkldnn._convolution_pointwise(
                x, self.weight, self.bias, *geometry, "relu" if relu else "none", [], ""
            )
            return found
        plain = torch.convolution(
            x, self.weight, self.bias, self.stride, self.padding, self.dilation, False, (0, 0),
            self.groups,
        )  # fmt: skip
        return plain.relu_() if relu else plain


@dataclass(frozen=True)
class _Phase:
    """The input gradient at the pixels of one phase, which begin at `first`; None if it is 0."""

    first: Pair
    kernel: _Kernel | None
    lead: Pair


class FixedConv2d(nn.Module):
    """A frozen torch.nn.Conv2d, with ReLU behind it if `relu`: (N, C, H, W) to (N, C', H', W').

    Its bits do not depend on the number of cores, if `has_fixed_convolutions` for its dtype. Only
    the input has a gradient.
    """

    def __init__(self, source: nn.Conv2d, *, relu: bool = False) -> None:
        """Take the weights of a convolution that pads with a fixed number of zeros.

        Raises ValueError if it pads otherwise: see `can_fix`.
        """
        super().__init__()
        if not can_fix(source):
            raise ValueError(f"only zero padding of a fixed size is supported, not {source}")
        self.relu = relu
        self.kernel = _Kernel(
            source.weight.detach().contiguous(memory_format=torch.channels_last),
            None if source.bias is None else source.bias.detach(),
            _pair(source.stride),
            _pair(source.padding),
            _pair(source.dilation),
            source.groups,
        )
        self.weight = nn.Parameter(self.kernel.weight, requires_grad=False)
        if self.kernel.bias is not None:
            self.bias = nn.Parameter(self.kernel.bias, requires_grad=False)
        self.gradient = _input_gradient(self.kernel)

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolution, after ReLU if there is one."""
        found: Tensor = _Convolve.apply(x, self)
        return found


def can_fix(convolution: nn.Conv2d) -> bool:
    """Whether FixedConv2d can replace a convolution."""
    return convolution.padding_mode == "zeros" and not isinstance(convolution.padding, str)


def products(rows: Tensor, columns: Tensor) -> Tensor:
    """The dot products of all pairs, rows @ columns.T: (n, C) and (m, C) to (n, m)."""
    if rows.device.type != "cpu" or not has_fixed_convolutions(rows.dtype):
        return rows @ columns.T
    weight = columns.to(rows.dtype)[:, :, None, None]
    pixels = rows.t()[None, :, None].contiguous(memory_format=torch.channels_last)
    return _Kernel(weight.contiguous(memory_format=torch.channels_last), None)(pixels)[0, :, 0].t()


class FixedLinear(nn.Module):
    """A frozen torch.nn.Linear over the last axis: (N, H, W, C) to (N, H, W, C')."""

    def __init__(self, source: nn.Linear) -> None:
        super().__init__()
        self.pointwise = FixedConv2d(_as_convolution(source))

    def forward(self, x: Tensor) -> Tensor:
        """Return the linear map of each position."""
        rows = x if x.dim() == _IMAGE_AXES else x.reshape(1, 1, -1, x.shape[-1])
        found: Tensor = self.pointwise(rows.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return found.reshape(*x.shape[:-1], -1)


_IMAGE_AXES = 4


def _as_convolution(linear: nn.Linear) -> nn.Conv2d:
    convolution = nn.Conv2d(linear.in_features, linear.out_features, 1, device="meta")
    weight = linear.weight.detach()[:, :, None, None]
    convolution.weight = nn.Parameter(weight, requires_grad=False)
    bias = None if linear.bias is None else nn.Parameter(linear.bias.detach(), requires_grad=False)
    convolution.bias = bias
    return convolution


class _Convolve(torch.autograd.Function):
    """A convolution with ReLU, which saves its output only."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layer: FixedConv2d) -> Tensor:
        output = layer.kernel(x.contiguous(memory_format=torch.channels_last), relu=layer.relu)
        ctx.layer, ctx.size = layer, (x.shape[2], x.shape[3])
        if layer.relu:
            ctx.save_for_backward(output)
        return output

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        (grad,) = grads
        if ctx.layer.relu:
            (output,) = ctx.saved_tensors
            grad = torch.ops.aten.threshold_backward(grad, output, 0)
        grad = grad.contiguous(memory_format=torch.channels_last)
        return ctx.layer.gradient(grad, ctx.size), None


class _StrideOne:
    """The input gradient of a convolution with stride 1."""

    def __init__(self, kernel: _Kernel) -> None:
        reach = _reach(kernel)
        padding = tuple(full - own for full, own in zip(reach, kernel.padding, strict=True))
        # A convolution that pads by more than its reach has outputs that no pixel decides.
        self._crop = max(0, -padding[0]), max(0, -padding[1])
        self._kernel = _Kernel(
            _exchanged(kernel.weight, kernel.groups),
            None,
            padding=(max(0, padding[0]), max(0, padding[1])),
            dilation=kernel.dilation,
            groups=kernel.groups,
        )

    def __call__(self, grad: Tensor, size: Pair) -> Tensor:
        """The gradient at an input of this height and width."""
        down, right = self._crop
        found = self._kernel(grad)
        if down or right:
            found = found[:, :, down : down + size[0], right : right + size[1]]
        return found


class _Phases:
    """The input gradient of a convolution with a larger stride and no dilation, by phases."""

    def __init__(self, kernel: _Kernel) -> None:
        self._stride = kernel.stride
        self._channels = kernel.weight.shape[1] * kernel.groups
        rows, columns = kernel.stride
        self._phases = [
            _phase(kernel, (row, column)) for row in range(rows) for column in range(columns)
        ]

    def __call__(self, grad: Tensor, size: Pair) -> Tensor:
        """The gradient at an input of this height and width."""
        found = _empty_like_pixels(grad, self._channels, size)
        for phase in self._phases:
            here = found[:, :, phase.first[0] :: self._stride[0], phase.first[1] :: self._stride[1]]
            if phase.kernel is None:
                here.zero_()
            elif here.numel():
                here.copy_(_placed(phase, grad, (here.shape[2], here.shape[3])))
        return found


class _MergedPhases:
    """All phases in one convolution, which suits an input of few channels, such as a picture."""

    def __init__(self, kernel: _Kernel) -> None:
        self._kernel, self._stride, self._padding = kernel, kernel.stride, kernel.padding
        rows, columns = kernel.stride
        taps = [
            -(-length // step) for length, step in zip(_sides(kernel), kernel.stride, strict=True)
        ]
        self._lead = taps[0] - 1, taps[1] - 1
        parts = []
        for row in range(rows):
            for column in range(columns):
                part = kernel.weight[:, :, row::rows, column::columns]
                missing = taps[1] - part.shape[3], taps[0] - part.shape[2]
                parts.append(functional.pad(part, (0, missing[0], 0, missing[1])))
        merged = torch.stack(parts, 2).flatten(1, 2)
        self._merged = _Kernel(_exchanged(merged, 1), None, padding=self._lead)

    def __call__(self, grad: Tensor, size: Pair) -> Tensor:
        """The gradient at an input of this height and width."""
        (rows, columns), (top, left) = self._stride, self._padding
        needed = -(-(size[0] + top) // rows), -(-(size[1] + left) // columns)
        grad = _padded(grad, needed)
        phases = self._merged(grad)[:, :, : needed[0], : needed[1]]
        count, channels = phases.shape[0], phases.shape[1] // (rows * columns)
        # (N, C, rows, columns, h, w) to (N, h, rows, w, columns, C): channels_last.
        split = phases.reshape(count, channels, rows, columns, *needed).permute(0, 4, 2, 5, 3, 1)
        whole = split.reshape(count, needed[0] * rows, needed[1] * columns, channels)
        inside = whole[:, top : top + size[0], left : left + size[1]]
        return inside.permute(0, 3, 1, 2)


class _Dilated:
    """The input gradient of a convolution with both stride and dilation, with zeros between."""

    def __init__(self, kernel: _Kernel) -> None:
        self._stride = kernel.stride
        self._reach, self._padding = _reach(kernel), kernel.padding
        self._dense = _StrideOne(
            _Kernel(kernel.weight, None, (1, 1), kernel.padding, kernel.dilation, kernel.groups)
        )

    def __call__(self, grad: Tensor, size: Pair) -> Tensor:
        """The gradient at an input of this height and width."""
        sides = [size[axis] + 2 * self._padding[axis] - self._reach[axis] for axis in range(2)]
        spread = _empty_like_pixels(grad, grad.shape[1], (sides[0], sides[1])).zero_()
        spread[:, :, :: self._stride[0], :: self._stride[1]] = grad
        return self._dense(spread, size)


_FEW_CHANNELS = 4
"""An input of at most so many channels has its phases in one convolution."""

InputGradient = _StrideOne | _Phases | _MergedPhases | _Dilated


def _input_gradient(kernel: _Kernel) -> InputGradient:
    if kernel.stride == (1, 1):
        return _StrideOne(kernel)
    if kernel.dilation != (1, 1):
        return _Dilated(kernel)
    if kernel.groups == 1 and kernel.weight.shape[1] <= _FEW_CHANNELS:
        return _MergedPhases(kernel)
    return _Phases(kernel)


def _phase(kernel: _Kernel, phase: Pair) -> _Phase:
    """The part of a convolution's input gradient for padded pixels p with p mod stride = phase."""
    first = tuple(
        (row - padding) % stride
        for row, padding, stride in zip(phase, kernel.padding, kernel.stride, strict=True)
    )
    # A pixel's output position is q = (p + padding - phase) / stride; the first pixel's is `lead`.
    lead = tuple(
        (one + padding) // stride
        for one, padding, stride in zip(first, kernel.padding, kernel.stride, strict=True)
    )
    part = kernel.weight[:, :, phase[0] :: kernel.stride[0], phase[1] :: kernel.stride[1]]
    if not part.numel():
        return _Phase((first[0], first[1]), None, (lead[0], lead[1]))
    padding = part.shape[2] - 1, part.shape[3] - 1
    flipped = _exchanged(part, kernel.groups)
    own = _Kernel(flipped, None, padding=padding, groups=kernel.groups)
    return _Phase((first[0], first[1]), own, (lead[0], lead[1]))


def _placed(phase: _Phase, grad: Tensor, size: Pair) -> Tensor:
    """A phase's gradient at its `size` pixels."""
    assert phase.kernel is not None
    down, right = phase.lead
    whole = phase.kernel(_padded(grad, (down + size[0], right + size[1])))
    return whole[:, :, down : down + size[0], right : right + size[1]]


def _padded(grad: Tensor, size: Pair) -> Tensor:
    """A gradient with zeros below and at the right, to at least a height and width."""
    below, right = max(0, size[0] - grad.shape[2]), max(0, size[1] - grad.shape[3])
    if not below and not right:
        return grad
    wide = functional.pad(grad, (0, right, 0, below))
    return wide.contiguous(memory_format=torch.channels_last)


def _empty_like_pixels(grad: Tensor, channels: int, size: Pair) -> Tensor:
    shape = grad.shape[0], channels, *size
    return torch.empty(
        shape, dtype=grad.dtype, device=grad.device, memory_format=torch.channels_last
    )


def _exchanged(weight: Tensor, groups: int) -> Tensor:
    """Weights (O, I / groups, h, w), flipped and with exchanged channels: (I, O / groups, h, w)."""
    outputs, inputs, *sides = weight.shape
    split = weight.reshape(groups, outputs // groups, inputs, *sides).transpose(1, 2)
    exchanged = split.reshape(groups * inputs, outputs // groups, *sides).flip(2, 3)
    return exchanged.contiguous(memory_format=torch.channels_last)


def _sides(kernel: _Kernel) -> Pair:
    return kernel.weight.shape[2], kernel.weight.shape[3]


def _reach(kernel: _Kernel) -> Pair:
    """How many pixels lie behind the first one under the kernel, down and to the right."""
    (rows, columns), (down, right) = _sides(kernel), kernel.dilation
    return (rows - 1) * down, (columns - 1) * right


def _pair(value: Any) -> Pair:
    return (value, value) if isinstance(value, int) else (value[0], value[1])
