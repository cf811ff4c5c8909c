"""Computes the constants of an ONNX graph: shapes, indices and reordered weights.

Exporters leave such arithmetic in the graph. A result may not be larger than its inputs, or than
a few thousand numbers, so a file cannot claim more memory than it has bytes.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from render.networks.onnx_graph import OnnxNode

_MAX_GROWN = 1 << 16
"""The most values of a result that is larger than its inputs."""

_DTYPES = {1: np.float32, 6: np.int32, 7: np.int64, 9: np.bool_, 10: np.float32, 11: np.float64}
"""numpy's types by TensorProto.DataType. float16 is computed in float32."""

Arrays = Sequence[np.ndarray]


def constant_of(node: OnnxNode) -> np.ndarray:
    """The array of a node `Constant`."""
    for name, value in node.attributes.items():
        if name == "value" and isinstance(value, np.ndarray):
            return value
        if name in ("value_int", "value_ints"):
            return np.array(value, np.int64)
        if name in ("value_float", "value_floats"):
            return np.array(value, np.float32)
    raise node.refuse("has no numbers")


def fold(node: OnnxNode, inputs: Arrays) -> np.ndarray:
    """The result of a node whose inputs are all constant. Raises OnnxError."""
    if node.operator not in _FOLDED:
        raise node.refuse("is not computed on constants")
    given, size = sum(one.size for one in inputs), _result_size(node, inputs)
    if not size <= max(_MAX_GROWN, given):
        raise node.refuse(f"makes {size:.0f} numbers of {given}")
    with np.errstate(all="ignore"):
        return np.asarray(_FOLDED[node.operator](node, inputs))


def _result_size(node: OnnxNode, inputs: Arrays) -> float:
    """The size of a result that can be much larger than the inputs."""
    if node.operator in ("Expand", "ConstantOfShape"):
        sides = math.prod(int(side) for side in np.ravel(inputs[-1]))
        return float(sides) * (inputs[0].size if inputs[1:] else 1)
    if node.operator == "Range":
        start, stop, step = (float(one) for one in inputs)
        return abs(stop - start) / max(abs(step), 1e-9)
    if node.operator == "Gather":
        length = max(1, int(inputs[0].shape[node.whole("axis", 0)]))
        return float(inputs[0].size) / length * float(inputs[1].size)
    if node.operator in _BROADCAST:
        return float(math.prod(np.broadcast_shapes(*(one.shape for one in inputs))))
    return 0.0


def axes_of(node: OnnxNode, inputs: Sequence[np.ndarray | None], index: int = 1) -> list[int]:
    """The axes of a node: an attribute before opset 13 (ReduceMean: 18), an input since."""
    given = inputs[index] if len(inputs) > index else node.attributes.get("axes")
    return [] if given is None else [int(axis) for axis in np.ravel(given)]


def _shape(node: OnnxNode, inputs: Arrays) -> np.ndarray:
    sides = inputs[0].shape
    return np.array(sides[node.whole("start", 0) : node.whole("end", len(sides))], np.int64)


def _product(node: OnnxNode, inputs: Arrays) -> np.ndarray:
    axes = axes_of(node, inputs)
    keeps = bool(node.whole("keepdims", 1))
    return np.asarray(np.prod(inputs[0], tuple(axes) if axes else None, keepdims=keeps))


def _squeeze(node: OnnxNode, inputs: Arrays) -> np.ndarray:
    axes = axes_of(node, inputs)
    return np.squeeze(inputs[0], tuple(axes) if axes else None)


def _unsqueeze(node: OnnxNode, inputs: Arrays) -> np.ndarray:
    return np.expand_dims(inputs[0], tuple(axes_of(node, inputs)))


def _slice(node: OnnxNode, inputs: Arrays) -> np.ndarray:
    parts: list[slice] = [slice(None)] * inputs[0].ndim
    for axis, start, stop, step in slices_of(node, inputs, inputs[0].ndim):
        parts[axis] = slice(start, stop, step)
    return inputs[0][tuple(parts)]


def slices_of(
    node: OnnxNode, inputs: Sequence[np.ndarray | None], rank: int
) -> list[tuple[int, int, int, int]]:
    """Axis, start, stop and step of each part of a node `Slice`, as in Python's slices."""

    def whole(index: int, name: str) -> list[int]:
        given = inputs[index] if len(inputs) > index else node.attributes.get(name)
        return [] if given is None else [int(one) for one in np.ravel(given)]

    starts, stops = whole(1, "starts"), whole(2, "ends")
    axes = whole(3, "axes") or list(range(len(starts)))
    steps = whole(4, "steps") or [1] * len(starts)
    if not len(starts) == len(stops) == len(axes) == len(steps):
        raise node.refuse("has lists of different lengths")
    return [
        (axis % rank, start, stop, step)
        for axis, start, stop, step in zip(axes, starts, stops, steps, strict=True)
    ]


def _divide(_: OnnxNode, inputs: Arrays) -> np.ndarray:
    """Whole numbers are divided as in ONNX and C: towards zero."""
    top, bottom = inputs
    if top.dtype.kind == "f":
        return np.asarray(top / bottom)
    return np.trunc(top / bottom).astype(top.dtype)


def reshape_target(node: OnnxNode, shape: Sequence[int], target: np.ndarray) -> tuple[int, ...]:
    """The shape that a `Reshape` of a shape makes. Raises OnnxError if the sizes differ."""
    wanted = [int(side) for side in np.ravel(target)]
    if not node.whole("allowzero", 0):
        wanted = [
            shape[at] if side == 0 and at < len(shape) else side for at, side in enumerate(wanted)
        ]
    size, known = int(np.prod(shape, dtype=object)), [side for side in wanted if side != -1]
    rest = int(np.prod(known, dtype=object))
    if len(wanted) - len(known) == 1 and rest > 0 and size % rest == 0:
        wanted[wanted.index(-1)] = size // rest
    if min(wanted, default=1) < 0 or int(np.prod(wanted, dtype=object)) != size:
        raise node.refuse(f"does not fit a shape of {'x'.join(map(str, shape))}")
    return tuple(wanted)


def _cast(node: OnnxNode, inputs: Arrays) -> np.ndarray:
    kind = _DTYPES.get(node.whole("to", 0))
    if kind is None:
        raise node.refuse("makes another type than floats, whole numbers and truth values")
    return inputs[0].astype(kind)


def _filled(node: OnnxNode, inputs: Arrays) -> np.ndarray:
    value = np.ravel(node.attributes.get("value", np.zeros(1, np.float32)))
    return np.full([int(side) for side in inputs[0]], value[0])


Fold = Callable[[OnnxNode, Arrays], Any]

_BROADCAST: dict[str, Fold] = {
    "Add": lambda _, x: x[0] + x[1],
    "Sub": lambda _, x: x[0] - x[1],
    "Mul": lambda _, x: x[0] * x[1],
    "Div": _divide,
    "Equal": lambda _, x: x[0] == x[1],
    "Where": lambda _, x: np.where(*x),
    "Max": lambda _, x: np.maximum.reduce(np.broadcast_arrays(*x)),
    "Min": lambda _, x: np.minimum.reduce(np.broadcast_arrays(*x)),
}

_FOLDED: dict[str, Fold] = _BROADCAST | {
    "Identity": lambda _, x: x[0],
    "Cast": _cast,
    "Shape": _shape,
    "Size": lambda _, x: np.array(x[0].size, np.int64),
    "Gather": lambda node, x: np.take(x[0], x[1].astype(np.int64), node.whole("axis", 0)),
    "Concat": lambda node, x: np.concatenate(list(x), node.whole("axis", 0)),
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Slice": _slice,
    "Reshape": lambda node, x: x[0].reshape(reshape_target(node, x[0].shape, x[1])),
    "Transpose": lambda node, x: np.transpose(x[0], node.attributes.get("perm")),
    "ConstantOfShape": _filled,
    "Expand": lambda _, x: x[0] * np.ones([int(side) for side in x[1]], x[0].dtype),
    "Range": lambda _, x: np.arange(*(one.item() for one in x)),
    "Neg": lambda _, x: -x[0],
    "Sqrt": lambda _, x: np.sqrt(x[0]),
    "Reciprocal": lambda _, x: 1 / x[0],
    "Floor": lambda _, x: np.floor(x[0]),
    "Ceil": lambda _, x: np.ceil(x[0]),
    "ReduceProd": _product,
}
