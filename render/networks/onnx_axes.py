"""ONNX's operators that reorder, split and join axes: Reshape, Transpose, Concat, Slice and others.

Only what means the same for pictures of any size is translated. Sizes in the file tell which axes
are meant; they are not kept.
"""

import math
import operator

import numpy as np
import torch
from torch import nn

from render.networks.onnx_builder import (
    Builder,
    Operands,
    Operator,
    Shape,
    Value,
    as_constant,
    as_value,
    constants_of,
)
from render.networks.onnx_constants import axes_of, reshape_target, slices_of
from render.networks.onnx_graph import OnnxNode
from render.networks.onnx_layers import MergedAxes, SplitAxis

_MAX_PICKED = 64
"""The most channels that a node picks one by one."""


def _flatten(build: Builder, node: OnnxNode, operands: Operands) -> Value:
    x = as_value(node, operands)
    if node.whole("axis", 1) % len(x.shape) != 1:
        raise node.refuse("does not keep the batch apart")
    return _flattened(build, node, x)


def _flattened(build: Builder, node: OnnxNode, x: Value) -> Value:
    """All values of a picture as one row.

    The next layer expects a fixed number of them. So the picture is averaged to the rows and
    columns that the file has there, which changes nothing at the file's size.
    """
    if len(x.shape) == 2:
        return x
    if not x.is_pooled:
        x = _with_file_sides(build, node, x)
    flat = build.call(torch.flatten, x, 1, shape=(1, math.prod(x.shape[1:])))
    return Value(flat.node, flat.shape, is_pooled=True)


def _with_file_sides(build: Builder, node: OnnxNode, x: Value) -> Value:
    """Average a picture to the rows and columns of the file, wherever its channels are."""
    if len(x.shape) != 4 or len(x.channels) != 1:
        raise node.refuse("does not read a picture of features")
    if x.is_map:
        return build.module(nn.AdaptiveAvgPool2d(x.sides), x)
    (at,) = x.channels
    down, right = (axis for axis in (1, 2, 3) if axis != at)
    order = (0, at, down, right)
    back = tuple(order.index(axis) for axis in range(4))
    first = build.call(torch.permute, x, order, shape=tuple(x.shape[axis] for axis in order))
    mean = build.module(nn.AdaptiveAvgPool2d(first.sides), first)
    return build.call(torch.permute, mean, back, shape=x.shape)


def _reshape(build: Builder, node: OnnxNode, operands: Operands) -> Value:
    x = as_value(node, operands)
    given = node.attributes.get("shape")
    sides = np.array(given) if given is not None else as_constant(node, operands, 1, "shape")
    return _reshaped(build, node, x, reshape_target(node, x.shape, sides))


def _reshaped(build: Builder, node: OnnxNode, x: Value, target: Shape) -> Value:
    if target == x.shape:
        return build.module(nn.Identity(), x)
    if len(target) == 1:
        row = build.call(torch.flatten, x, shape=target)
        build.sources[row.node] = x
        return row
    if target[0] != 1:
        raise node.refuse("does not keep the batch apart")
    if len(target) == 2 and len(x.shape) > 2:
        return _flattened(build, node, x)
    if x.is_pooled or len(x.shape) == 2:
        made = build.call(torch.reshape, x, (-1, *target[1:]), shape=target)
        axes = tuple(axis for axis, side in enumerate(target) if axis and side > 1) or (1,)
        return Value(made.node, target, axes, is_pooled=True)
    return _regrouped(build, node, x, target)


def _regrouped(build: Builder, node: OnnxNode, x: Value, target: Shape) -> Value:
    """Split the axis of channels, or merge axes of channels."""
    first = next(at for at in range(len(target)) if x.shape[at : at + 1] != target[at : at + 1])
    tail = 0
    while min(len(x.shape), len(target)) - tail > first and (
        x.shape[-1 - tail] == target[-1 - tail]
    ):
        tail += 1
    before, after = x.shape[first : len(x.shape) - tail], target[first : len(target) - tail]
    axes, grown = range(first, first + len(before)), len(after) - len(before)
    if not all(axis in x.channels for axis in axes):
        raise node.refuse("takes rows and columns apart")
    later = tuple(axis + grown for axis in x.channels if axis >= first + len(before))
    earlier = tuple(axis for axis in x.channels if axis < first)
    if len(before) == 1 and len(after) > 1:
        made = build.module(SplitAxis(first, after), x, target)
        return Value(made.node, target, (*earlier, *range(first, first + len(after)), *later))
    if len(after) == 1 and len(before) > 1:
        made = build.module(MergedAxes(first, axes[-1]), x, target)
        return Value(made.node, target, (*earlier, first, *later))
    raise node.refuse(f"makes {list(target)} of {list(x.shape)}")


def _transpose(build: Builder, node: OnnxNode, operands: Operands) -> Value:
    x = as_value(node, operands)
    order = [int(axis) for axis in node.attributes.get("perm") or range(len(x.shape))[::-1]]
    if sorted(order) != list(range(len(x.shape))) or order[0] != 0:
        raise node.refuse(f"has the order {order}, and the batch must stay first")
    made = build.call(torch.permute, x, tuple(order), shape=tuple(x.shape[axis] for axis in order))
    channels = tuple(at for at, axis in enumerate(order) if axis in x.channels)
    return Value(made.node, made.shape, channels, x.is_pooled)


def _squeeze(build: Builder, node: OnnxNode, operands: Operands) -> Value:
    x = as_value(node, operands)
    given = axes_of(node, constants_of(operands))
    axes = {axis % len(x.shape) for axis in given} or {
        axis for axis, side in enumerate(x.shape) if side == 1 and axis
    }
    if 0 in axes or any(x.shape[axis] != 1 for axis in axes):
        raise node.refuse(f"removes the axes {sorted(axes)} of {list(x.shape)}")
    target = tuple(side for axis, side in enumerate(x.shape) if axis not in axes)
    return _reshaped(build, node, x, target)


def _unsqueeze(build: Builder, node: OnnxNode, operands: Operands) -> Value:
    x = as_value(node, operands)
    axes = axes_of(node, constants_of(operands))
    rank = len(x.shape) + len(axes)
    added = sorted(axis % rank for axis in axes)
    sides = iter(x.shape)
    target = tuple(1 if axis in added else next(sides) for axis in range(rank))
    if x.is_pooled:
        return _reshaped(build, node, x, target)
    if x.channels or added != [1]:
        raise node.refuse("adds an axis to a picture")
    made = build.call(torch.unsqueeze, x, 1, shape=target)
    return Value(made.node, target)


def _concat(build: Builder, node: OnnxNode, operands: Operands) -> Value:
    parts = [as_value(node, operands, at) for at in range(len(operands))]
    first = parts[0]
    axis = node.whole("axis", 1) % len(first.shape)
    rests = {part.shape[:axis] + part.shape[axis + 1 :] for part in parts}
    if axis not in first.channels or len(rests) != 1 or len({p.channels for p in parts}) != 1:
        raise node.refuse("does not join channels of pictures of one size")
    return _joined(build, parts, axis)


def _joined(build: Builder, parts: list[Value], axis: int) -> Value:
    first, total = parts[0], sum(part.shape[axis] for part in parts)
    shape = (*first.shape[:axis], total, *first.shape[axis + 1 :])
    made = build.graph.call_function(torch.cat, ([part.node for part in parts], axis))
    pooled = all(part.is_pooled for part in parts)
    return Value(made, shape, first.channels, pooled)


def _slice(build: Builder, node: OnnxNode, operands: Operands) -> Value:
    x = as_value(node, operands)
    if any(isinstance(one, Value) for one in operands[1:]):
        raise node.refuse("computes its limits from the picture")
    for axis, start, stop, step in slices_of(node, constants_of(operands), len(x.shape)):
        x = _part(build, node, x, axis, slice(start, stop, step))
    return x


def _part(build: Builder, node: OnnxNode, x: Value, axis: int, part: slice) -> Value:
    side = x.shape[axis]
    start, stop, step = part.indices(side)
    if (start, stop, step) == (0, side, 1):
        return x
    count = len(range(start, stop, step))
    shape = (*x.shape[:axis], count, *x.shape[axis + 1 :])
    if axis == 0 or step < 1 or count < 1:
        raise node.refuse("does not take a part of the channels or of the picture")
    if axis in x.channels:
        if step == 1:
            return build.call(torch.narrow, x, axis, start, count, shape=shape)
    elif part.start < 0 or (stop < side and part.stop >= 0):
        raise node.refuse("cuts the picture at a fixed size")
    # An end that the file has at the border is the border of any picture.
    end = None if stop == side else part.stop
    slices = (*[slice(None)] * axis, slice(part.start, end, step))
    return build.call(operator.getitem, x, slices, shape=shape)


def split(build: Builder, node: OnnxNode, operands: Operands) -> list[Value]:
    """Split: into parts of the channels."""
    x = as_value(node, operands)
    axis, count = node.whole("axis", 0) % len(x.shape), len(node.outputs)
    sizes = [one for one in (constants_of(operands)[1:2] or [None]) if one is not None]
    given = sizes[0] if sizes else node.attributes.get("split")
    each = -(-x.shape[axis] // count)
    lengths = (
        [each] * (count - 1) + [x.shape[axis] - each * (count - 1)]
        if given is None
        else [int(length) for length in np.ravel(given)]
    )
    if axis not in x.channels or sum(lengths) != x.shape[axis] or min(lengths) < 1:
        raise node.refuse(f"takes {list(x.shape)} apart as {lengths}")
    starts = [sum(lengths[:at]) for at in range(len(lengths))]
    return [
        _part(build, node, x, axis, slice(start, start + length, 1))
        for start, length in zip(starts, lengths, strict=True)
    ]


def _gather(build: Builder, node: OnnxNode, operands: Operands) -> Value:
    """Gather: of channels; or of all values in order, which PyTorch writes for another shape."""
    x, indices = as_value(node, operands), as_constant(node, operands, 1, "indices")
    source = build.sources.get(x.node)
    if source is not None and np.array_equal(np.ravel(indices), np.arange(x.shape[0])):
        return _reshaped(build, node, source, indices.shape)
    axis = node.whole("axis", 0) % len(x.shape)
    picked = [int(index) % x.shape[axis] for index in np.ravel(indices)]
    if x.channels != (axis,) or not 1 <= len(picked) <= _MAX_PICKED:
        raise node.refuse("does not pick a few channels")
    if indices.ndim == 0:
        shape = (*x.shape[:axis], *x.shape[axis + 1 :])
        made = build.call(operator.getitem, x, (*[slice(None)] * axis, picked[0]), shape=shape)
        return Value(made.node, shape, channels=())
    parts = [_part(build, node, x, axis, slice(index, index + 1, 1)) for index in picked]
    return _joined(build, parts, axis)


def _cast(build: Builder, node: OnnxNode, operands: Operands) -> Value:
    if node.whole("to", 0) not in (1, 10, 11, 16):
        raise node.refuse("makes whole numbers of a picture")
    return build.module(nn.Identity(), as_value(node, operands))


AXIS_OPERATORS: dict[str, Operator] = {
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Transpose": _transpose,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Concat": _concat,
    "Slice": _slice,
    "Gather": _gather,
    "Cast": _cast,
}
