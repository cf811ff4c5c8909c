"""ONNX's operators with windows and neighbours, as torch modules: convolutions, pools, padding.

`SAME` pads as for a picture of the file's size. torch's modules pad both sides equally; anything
else becomes a module of its own before them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from torch import nn

from render.networks.caffe_layers import LocalResponseNorm
from render.networks.onnx_builder import (
    Builder,
    Operands,
    Operator,
    Shape,
    Value,
    as_constant,
    as_value,
    optional_constant,
    set_values,
)
from render.networks.onnx_graph import OnnxNode
from render.networks.onnx_layers import RepeatedPixels

_MAX_REACH = 4096
"""The most pixels of a kernel's side, a stride or a padding."""

Pair = tuple[int, int]


@dataclass(frozen=True)
class _Windows:
    """The windows of a node. before, after: padding above and left, and below and right."""

    kernel: Pair
    stride: Pair
    dilation: Pair
    before: Pair
    after: Pair
    is_ceil: bool

    @property
    def is_even(self) -> bool:
        """Whether both sides are padded equally."""
        return self.before == self.after

    def counts(self, sides: Shape) -> Pair:
        """The windows down and across over rows and columns."""
        found = []
        for axis in range(2):
            reach = (self.kernel[axis] - 1) * self.dilation[axis] + 1
            free, step = (
                sides[axis] + self.before[axis] + self.after[axis] - reach,
                self.stride[axis],
            )
            count = (-(-free // step) if self.is_ceil else free // step) + 1
            # The last window begins in the picture or in the padding before it.
            if self.is_ceil and (count - 1) * step >= sides[axis] + self.before[axis]:
                count -= 1
            found.append(count)
        return found[0], found[1]


def _windows(node: OnnxNode, sides: Shape, kernel: Sequence[int]) -> _Windows:
    stride = _pair(node, "strides", (1, 1))
    dilation = _pair(node, "dilations", (1, 1))
    sizes = _checked(node, kernel)
    reach = [(size - 1) * wide + 1 for size, wide in zip(sizes, dilation, strict=True)]
    padding = node.text("auto_pad", "NOTSET")
    if padding == "NOTSET":
        pads = [int(one) for one in node.attributes.get("pads", (0, 0, 0, 0))]
        if len(pads) != 4 or not all(0 <= one <= _MAX_REACH for one in pads):
            raise node.refuse(f"has the padding {pads}")
        before, after = (pads[0], pads[1]), (pads[2], pads[3])
    elif padding in ("SAME_UPPER", "SAME_LOWER"):
        total = [
            max((-(-side // step) - 1) * step + wide - side, 0)
            for side, step, wide in zip(sides, stride, reach, strict=True)
        ]
        small, large = [one // 2 for one in total], [one - one // 2 for one in total]
        if padding == "SAME_LOWER":
            small, large = large, small
        before, after = (small[0], small[1]), (large[0], large[1])
    elif padding == "VALID":
        before = after = (0, 0)
    else:
        raise node.refuse(f"has the padding {padding}")
    # With auto_pad the padding alone decides how many windows there are.
    is_ceil = padding == "NOTSET" and bool(node.whole("ceil_mode", 0))
    return _Windows(sizes, stride, dilation, before, after, is_ceil)


def _pair(node: OnnxNode, name: str, default: Pair) -> Pair:
    return _checked(node, node.attributes.get(name) or default)


def _checked(node: OnnxNode, values: Sequence[int]) -> Pair:
    found = [int(one) for one in values]
    if len(found) != 2 or not all(1 <= one <= _MAX_REACH for one in found):
        raise node.refuse(f"has {found} where two lengths of 1 to {_MAX_REACH} are expected")
    return found[0], found[1]


def _map(node: OnnxNode, operands: Operands) -> Value:
    x = as_value(node, operands)
    if not x.is_map:
        raise node.refuse("does not read a picture of features")
    return x


def convolution(build: Builder, node: OnnxNode, operands: Operands) -> Value:
    """Conv: with a constant kernel."""
    x = _map(node, operands)
    weight = as_constant(node, operands, 1, "kernel")
    bias = optional_constant(node, operands, 2, "bias")
    groups = node.whole("group", 1)
    if weight.ndim != 4 or not weight.size or x.shape[1] != weight.shape[1] * groups:
        raise node.refuse(f"has a kernel of {list(weight.shape)} for {x.shape[1]} channels")
    if weight.shape[0] % groups:
        raise node.refuse(f"has {weight.shape[0]} outputs for {groups} groups")
    windows = _windows(node, x.sides, node.attributes.get("kernel_shape") or weight.shape[2:])
    shape = (1, weight.shape[0], *windows.counts(x.sides))
    if not windows.is_even:
        x = _padded(build, x, windows, 0.0)
    layer = nn.Conv2d(
        x.shape[1],
        weight.shape[0],
        windows.kernel,
        windows.stride,
        windows.before if windows.is_even else 0,
        windows.dilation,
        groups,
        bias=bias is not None,
    )
    return build.module(set_values(layer, weight=weight, bias=bias), x, shape)


def max_pool(build: Builder, node: OnnxNode, operands: Operands) -> Value:
    """MaxPool: without indices."""
    x = _map(node, operands)
    windows = _windows(node, x.sides, node.attributes.get("kernel_shape", ()))
    shape = (*x.shape[:2], *windows.counts(x.sides))
    is_plain = windows.is_even and _is_half(windows)
    if not is_plain:
        _refuse_ceil(node, windows)
        x = _padded(build, x, windows, -math.inf)
    padding = windows.before if is_plain else 0
    pool = nn.MaxPool2d(
        windows.kernel, windows.stride, padding, windows.dilation, ceil_mode=windows.is_ceil
    )
    return build.module(pool, x, shape)


def average_pool(build: Builder, node: OnnxNode, operands: Operands) -> Value:
    """AveragePool: without dilation."""
    x = _map(node, operands)
    windows = _windows(node, x.sides, node.attributes.get("kernel_shape", ()))
    counts_padding = bool(node.whole("count_include_pad", 0))
    shape = (*x.shape[:2], *windows.counts(x.sides))
    if windows.dilation != (1, 1):
        raise node.refuse("has a dilation")
    is_plain = windows.is_even and _is_half(windows)
    if not is_plain:
        _refuse_ceil(node, windows)
        if not counts_padding:
            raise node.refuse("leaves out an uneven padding")
        x = _padded(build, x, windows, 0.0)
    padding = windows.before if is_plain else 0
    pool = nn.AvgPool2d(
        windows.kernel,
        windows.stride,
        padding,
        ceil_mode=windows.is_ceil,
        count_include_pad=counts_padding,
    )
    return build.module(pool, x, shape)


def _is_half(windows: _Windows) -> bool:
    """Whether torch's pools take the padding: at most half of the kernel."""
    return all(p * 2 <= k for p, k in zip(windows.before, windows.kernel, strict=True))


def _refuse_ceil(node: OnnxNode, windows: _Windows) -> None:
    if windows.is_ceil:
        raise node.refuse("has both ceil_mode and an uneven padding")


def _padded(build: Builder, x: Value, windows: _Windows, value: float) -> Value:
    sides = [
        side + before + after
        for side, before, after in zip(x.sides, windows.before, windows.after, strict=True)
    ]
    (top, left), (bottom, right) = windows.before, windows.after
    padding = nn.ConstantPad2d((left, right, top, bottom), value)
    return build.module(padding, x, (*x.shape[:2], *sides))


def global_pool(
    layer: type[nn.Module], build: Builder, node: OnnxNode, operands: Operands
) -> Value:
    """GlobalAveragePool and GlobalMaxPool."""
    return pooled(build, _map(node, operands), layer(1))


def pooled(build: Builder, x: Value, layer: nn.Module) -> Value:
    """A value after a pool over the whole picture."""
    made = build.module(layer, x, (*x.shape[:2], 1, 1))
    return Value(made.node, made.shape, is_pooled=True)


def pad(build: Builder, node: OnnxNode, operands: Operands) -> Value:
    """Pad: of rows and columns. A negative padding crops."""
    x = _map(node, operands)
    given = optional_constant(node, operands, 1, "padding")
    pads = [
        int(one) for one in np.ravel(node.attributes.get("pads", ()) if given is None else given)
    ]
    value = optional_constant(node, operands, 2, "value")
    if len(operands) > 3 and operands[3] is not None:
        raise node.refuse("names axes")
    if len(pads) != 8 or pads[:2] + pads[4:6] != [0] * 4 or max(map(abs, pads)) > _MAX_REACH:
        raise node.refuse(f"has the padding {pads}, not one of rows and columns")
    top, left, bottom, right = pads[2], pads[3], pads[6], pads[7]
    shape = (*x.shape[:2], x.shape[2] + top + bottom, x.shape[3] + left + right)
    sides, mode = (left, right, top, bottom), node.text("mode", "constant")
    if mode == "reflect":
        return build.module(nn.ReflectionPad2d(sides), x, shape)
    if mode == "edge":
        return build.module(nn.ReplicationPad2d(sides), x, shape)
    if mode != "constant":
        raise node.refuse(f"has the mode {mode}")
    fill = float(np.ravel(node.number("value", 0.0) if value is None else value)[0])
    return build.module(nn.ConstantPad2d(sides, fill), x, shape)


def response_norm(build: Builder, node: OnnxNode, operands: Operands) -> Value:
    """LRN: across an odd number of channels."""
    x, size = _map(node, operands), node.whole("size", 0)
    if size % 2 != 1 or not 0 < size <= _MAX_REACH:
        raise node.refuse(f"has the size {size}, and it must be odd")
    alpha, beta = node.number("alpha", 1e-4), node.number("beta", 0.75)
    return build.module(LocalResponseNorm(size, alpha, beta, node.number("bias", 1.0)), x)


def resize(build: Builder, node: OnnxNode, operands: Operands) -> Value:
    """Resize and Upsample: by whole factors; interpolation other than `nearest` is not local."""
    x = _map(node, operands)
    factors = _factors(node, x, operands)
    if factors[:2] != [1.0, 1.0] or any(one != int(one) or one < 1 for one in factors):
        raise node.refuse(f"changes sizes by {factors}, and only whole factors are translated")
    down, right = int(factors[2]), int(factors[3])
    shape = (*x.shape[:2], x.shape[2] * down, x.shape[3] * right)
    mode, place = node.text("mode", "nearest"), _coordinates(node)
    if mode == "nearest":
        if not _is_repetition(node, place, (down, right)):
            raise node.refuse(f"has coordinates ({place}) that do not repeat pixels")
        return build.module(RepeatedPixels(down, right), x, shape)
    if mode not in ("linear", "cubic"):
        raise node.refuse(f"has the mode {mode}")
    if node.number("cubic_coeff_a", -0.75) != -0.75 or node.whole("exclude_outside", 0):
        raise node.refuse("weighs pixels in another way than torch")
    if place not in ("half_pixel", "pytorch_half_pixel", "align_corners"):
        raise node.refuse(f"has the coordinates {place}")
    aligned = place == "align_corners"
    return build.module(
        nn.Upsample(scale_factor=(down, right), mode=f"bi{mode}", align_corners=aligned), x, shape
    )


def _factors(node: OnnxNode, x: Value, operands: Operands) -> list[float]:
    """How much each axis grows: given so (last but one of four inputs), or as sizes (the last)."""
    place = 2 if node.operator == "Resize" and len(operands) > 2 else 1
    scales = optional_constant(node, operands, place, "scales")
    sizes = optional_constant(node, operands, 3, "sizes")
    if (policy := node.text("keep_aspect_ratio_policy", "stretch")) != "stretch":
        raise node.refuse(f"has the policy {policy}")
    if scales is None or not scales.size:
        scales = node.attributes.get("scales") if sizes is None else sizes / np.array(x.shape)
    found = [float(one) for one in np.ravel(() if scales is None else scales)]
    if len(found) != 4:
        raise node.refuse("has no factor for each of the four axes")
    return found


def _coordinates(node: OnnxNode) -> str:
    is_new = node.operator == "Resize" and len(node.inputs) > 2
    return node.text("coordinate_transformation_mode", "half_pixel" if is_new else "asymmetric")


def _is_repetition(node: OnnxNode, place: str, factors: Pair) -> bool:
    """Whether each pixel becomes a rectangle of equal ones."""
    rounding = node.text("nearest_mode", "round_prefer_floor")
    if place == "asymmetric":
        is_old = "nearest_mode" not in node.attributes and len(node.inputs) <= 2
        return is_old or rounding == "floor" or (max(factors) <= 2 and rounding.endswith("r_floor"))
    return place in ("half_pixel", "pytorch_half_pixel") and rounding.startswith("round")


WINDOW_OPERATORS: dict[str, Operator] = {
    "Conv": convolution,
    "MaxPool": max_pool,
    "AveragePool": average_pool,
    "GlobalAveragePool": partial(global_pool, nn.AdaptiveAvgPool2d),
    "GlobalMaxPool": partial(global_pool, nn.AdaptiveMaxPool2d),
    "Pad": pad,
    "LRN": response_norm,
    "Resize": resize,
    "Upsample": resize,
}
