"""ONNX's operators without windows: activations, arithmetic, normalisations, products."""

import operator
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import nn

from render.networks.onnx_builder import (
    Builder,
    Operand,
    Operands,
    Operator,
    Value,
    as_constant,
    as_value,
    constants_of,
    optional_constant,
    set_values,
    tensor,
)
from render.networks.onnx_constants import axes_of
from render.networks.onnx_graph import OnnxNode
from render.networks.onnx_layers import ChannelMean, ScaledNegative
from render.networks.onnx_windows import pooled


def activation(
    layer: Callable[[OnnxNode], nn.Module], build: Builder, node: OnnxNode, operands: Operands
) -> Value:
    """A module that acts on each value."""
    return build.module(layer(node), as_value(node, operands))


def function(
    act: Callable[..., torch.Tensor], build: Builder, node: OnnxNode, operands: Operands
) -> Value:
    """A function that acts on each value."""
    return build.call(act, as_value(node, operands))


def _hard_sigmoid(build: Builder, node: OnnxNode, operands: Operands) -> Value:
    x, alpha, beta = as_value(node, operands), node.number("alpha", 0.2), node.number("beta", 0.5)
    if abs(alpha - 1 / 6) < 1e-6 and beta == 0.5:
        return build.module(nn.Hardsigmoid(), x)
    line = build.call(operator.add, build.call(operator.mul, x, alpha), beta)
    return build.call(torch.clamp, line, 0.0, 1.0)


def _clip(build: Builder, node: OnnxNode, operands: Operands) -> Value:
    x = as_value(node, operands)
    low, high = (_bound(node, operands, index, name) for index, name in ((1, "min"), (2, "max")))
    if low == 0 and high in (6, None):
        return build.module(nn.ReLU() if high is None else nn.ReLU6(), x)
    if low is not None and high is not None and low < high:
        return build.module(nn.Hardtanh(low, high), x)
    return x if low is None and high is None else build.call(torch.clamp, x, low, high)


def _bound(node: OnnxNode, operands: Operands, index: int, name: str) -> float | None:
    given = optional_constant(node, operands, index, name)
    value = node.attributes.get(name) if given is None else given
    if value is None:
        return None
    bound = float(np.ravel(value)[0])
    return bound if np.isfinite(bound) and abs(bound) < np.finfo(np.float32).max else None


def _scaled_negative(build: Builder, node: OnnxNode, operands: Operands) -> Value:
    x, factors = as_value(node, operands), as_constant(node, operands, 1, "factors")
    if factors.ndim == 1 and factors.size > 1 and len(x.shape) == 4:
        factors = factors[:, None, None]
    if np.broadcast_shapes(factors.shape, x.shape) != x.shape:
        raise node.refuse(f"has factors of the shape {list(factors.shape)}")
    _check_places(node, factors, x)
    return build.module(ScaledNegative(tensor(factors)), x)


def arithmetic(
    act: Callable[..., torch.Tensor], build: Builder, node: OnnxNode, operands: Operands
) -> Value:
    """Add, Sub, Mul, Div, and others of two operands or more."""
    given = [one for one in operands if one is not None]
    x = next(one for one in given if isinstance(one, Value))
    if act is operator.add and (fused := _with_bias(build, node, operands)) is not None:
        return fused
    made, *others = (_placed(node, one, x) for one in given)
    for other in others:
        made = _combined(build, node, act, made, other)
    return as_value(node, [made])


def _combined(
    build: Builder, node: OnnxNode, act: Callable[..., torch.Tensor], one: Operand, other: Operand
) -> Operand:
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        raise node.refuse("has several constants")
    x, constant = (one, other) if isinstance(one, Value) else (other, one)
    if isinstance(x, Value) and isinstance(constant, np.ndarray):
        _check_places(node, constant, x)
        if act in (torch.maximum, torch.minimum):
            if constant.size > 1:
                raise node.refuse("has a constant of several values")
            bound = float(constant.item())
            limits = (bound, None) if act is torch.maximum else (None, bound)
            return build.call(torch.clamp, x, *limits)
    return build.combine(act, (one, other))


def _check_places(node: OnnxNode, constant: np.ndarray, x: Value) -> None:
    """Raise OnnxError if a constant has rows or columns: it would fit pictures of one size."""
    start = len(x.shape) - constant.ndim
    long = [start + at for at, side in enumerate(constant.shape) if side > 1]
    if any(axis not in x.channels for axis in long):
        raise node.refuse("has a constant that differs from place to place")


def _placed(node: OnnxNode, one: Operand, x: Value) -> Operand:
    """A constant on the axes of a value, as ONNX placed it before version 7."""
    if isinstance(one, Value) or not node.whole("broadcast", 0) or "axis" not in node.attributes:
        return one
    axis = node.whole("axis", 0) % len(x.shape)
    return one.reshape(*one.shape, *[1] * (len(x.shape) - axis - one.ndim))


def _with_bias(build: Builder, node: OnnxNode, operands: Operands) -> Value | None:
    """A product with a constant matrix, with its bias added, if nothing else reads the product."""
    pairs = list(zip(node.inputs, operands, strict=True))
    values = [(name, one) for name, one in pairs if isinstance(one, Value)]
    biases = [one for _, one in pairs if isinstance(one, np.ndarray)]
    if len(values) != 1 or len(biases) != 1:
        return None
    (name, x), bias = values[0], biases[0]
    layer = build.root.get_submodule(str(x.node.target)) if x.node.op == "call_module" else None
    if not isinstance(layer, nn.Linear) or layer.bias is not None or build.uses[name] != 1:
        return None
    if bias.shape != (layer.out_features,):
        return None
    layer.bias = nn.Parameter(tensor(bias), requires_grad=False)
    return replace(x)  # another value at the same node


def _power(build: Builder, node: OnnxNode, operands: Operands) -> Value:
    exponent = as_constant(node, operands, 1, "exponent")
    if exponent.size != 1:
        raise node.refuse("has several exponents")
    return build.call(torch.pow, as_value(node, operands), float(exponent.item()))


def _batch_norm(build: Builder, node: OnnxNode, operands: Operands) -> Value:
    x = as_value(node, operands)
    names = ("weight", "bias", "running_mean", "running_var")
    values = {name: as_constant(node, operands, at + 1, name) for at, name in enumerate(names)}
    if node.whole("training_mode", 0) or not node.whole("spatial", 1) or x.channels != (1,):
        raise node.refuse("does not normalise each channel by constants")
    kinds = {4: nn.BatchNorm2d, 2: nn.BatchNorm1d}
    if len(x.shape) not in kinds:
        raise node.refuse(f"reads {len(x.shape)} axes")
    layer = kinds[len(x.shape)](x.shape[1], eps=node.number("epsilon", 1e-5))
    return build.module(set_values(layer, **values), x)


def _instance_norm(build: Builder, node: OnnxNode, operands: Operands) -> Value:
    x = as_value(node, operands)
    if not x.is_map:
        raise node.refuse("does not read a picture of features")
    layer = nn.InstanceNorm2d(x.shape[1], eps=node.number("epsilon", 1e-5), affine=True)
    weight, bias = (as_constant(node, operands, at, "scale and bias") for at in (1, 2))
    return build.module(set_values(layer, weight=weight, bias=bias), x)


def _layer_norm(build: Builder, node: OnnxNode, operands: Operands) -> Value:
    x = as_value(node, operands)
    axis, last = node.whole("axis", -1) % len(x.shape), len(x.shape) - 1
    weight = as_constant(node, operands, 1, "scale")
    bias = optional_constant(node, operands, 2, "bias")
    if axis != last or last not in x.channels:
        raise node.refuse("does not normalise across channels alone")
    layer = nn.LayerNorm(x.shape[-1], node.number("epsilon", 1e-5), bias=bias is not None)
    return build.module(set_values(layer, weight=weight, bias=bias), x)


def _product(build: Builder, node: OnnxNode, operands: Operands) -> Value:
    """MatMul: a linear layer over the last axis, or the product of two layers."""
    if len(operands) == 2 and isinstance(operands[1], Value):
        x, other = as_value(node, operands), operands[1]
        if len(x.shape) != len(other.shape) or x.shape[-1] != other.shape[-2]:
            raise node.refuse(f"multiplies {list(x.shape)} by {list(other.shape)}")
        shape = (*x.shape[:-1], other.shape[-1])
        made = build.graph.call_function(torch.matmul, (x.node, other.node))
        return Value(made, shape, x.channels, x.is_pooled)
    x, matrix = as_value(node, operands), as_constant(node, operands, 1, "matrix")
    if matrix.ndim != 2 or x.shape[-1] != matrix.shape[0] or len(x.shape) - 1 not in x.channels:
        raise node.refuse(f"multiplies {list(x.shape)} by {list(matrix.shape)}")
    return _linear(build, x, matrix.T, None)


def _general_product(build: Builder, node: OnnxNode, operands: Operands) -> Value:
    """Gemm: alpha * x @ matrix + beta * bias."""
    x, matrix = as_value(node, operands), as_constant(node, operands, 1, "matrix")
    bias = optional_constant(node, operands, 2, "bias")
    weight = matrix if node.whole("transB", 0) else matrix.T
    if node.whole("transA", 0) or len(x.shape) != 2 or weight.ndim != 2:
        raise node.refuse(f"multiplies {list(x.shape)} by {list(matrix.shape)}")
    if weight.shape[1] != x.shape[1]:
        raise node.refuse(f"multiplies {list(x.shape)} by {list(matrix.shape)}")
    if bias is not None:
        bias = np.broadcast_to(bias.reshape(-1) * node.number("beta", 1.0), weight.shape[:1])
    return _linear(build, x, weight * node.number("alpha", 1.0), bias)


def _linear(build: Builder, x: Value, weight: np.ndarray, bias: np.ndarray | None) -> Value:
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None)
    kind = weight.dtype if weight.dtype == np.float64 else np.float32
    set_values(layer, weight=weight.astype(kind), bias=None if bias is None else bias.astype(kind))
    return build.module(layer, x, (*x.shape[:-1], weight.shape[0]))


def _softmax(
    layer: Callable[[int], nn.Module], build: Builder, node: OnnxNode, operands: Operands
) -> Value:
    x, is_old = as_value(node, operands), node.version < 13
    axis = node.whole("axis", 1 if is_old else -1) % len(x.shape)
    # Before version 13 it ran over all axes from this one on.
    if is_old and any(side > 1 for side in x.shape[axis + 1 :]):
        raise node.refuse("runs over several axes")
    return build.module(layer(axis), x)


def _mean(build: Builder, node: OnnxNode, operands: Operands) -> Value:
    """ReduceMean: over the whole picture, or across channels."""
    x, keeps = as_value(node, operands), node.whole("keepdims", 1)
    axes = sorted(axis % len(x.shape) for axis in axes_of(node, constants_of(operands)))
    if len(axes) == 1 and axes[0] in x.channels and len(x.shape) == 4 and keeps:
        shape = [1 if axis == axes[0] else side for axis, side in enumerate(x.shape)]
        return build.module(ChannelMean(axes[0]), x, tuple(shape))
    if not x.is_map or axes != [2, 3]:
        raise node.refuse(f"averages over the axes {axes}, not over rows and columns")
    mean = pooled(build, x, nn.AdaptiveAvgPool2d(1))
    return mean if keeps else build.call(torch.flatten, mean, 1, shape=mean.shape[:2])


def _selu(node: OnnxNode) -> nn.Module:
    usual = {"alpha": 1.6732632, "gamma": 1.050701}
    if any(abs(node.number(name, value) - value) > 1e-6 for name, value in usual.items()):
        raise node.refuse(f"has other factors than {usual}")
    return nn.SELU()


def _gelu(node: OnnxNode) -> nn.Module:
    return nn.GELU(node.text("approximate", "none"))


def _module(layer: Callable[[], nn.Module]) -> Operator:
    return partial(activation, lambda _: layer())


POINTWISE_OPERATORS: dict[str, Operator] = {
    "Relu": _module(nn.ReLU),
    "Sigmoid": _module(nn.Sigmoid),
    "Tanh": _module(nn.Tanh),
    "HardSwish": _module(nn.Hardswish),
    "Mish": _module(nn.Mish),
    "Softplus": _module(nn.Softplus),
    "Identity": _module(nn.Identity),
    "Dropout": _module(nn.Identity),
    "LeakyRelu": partial(activation, lambda node: nn.LeakyReLU(node.number("alpha", 0.01))),
    "Elu": partial(activation, lambda node: nn.ELU(node.number("alpha", 1.0))),
    "Selu": partial(activation, _selu),
    "Gelu": partial(activation, _gelu),
    "HardSigmoid": _hard_sigmoid,
    "Clip": _clip,
    "PRelu": _scaled_negative,
    "Abs": partial(function, torch.abs),
    "Erf": partial(function, torch.erf),
    "Exp": partial(function, torch.exp),
    "Neg": partial(function, torch.neg),
    "Reciprocal": partial(function, torch.reciprocal),
    "Sqrt": partial(function, torch.sqrt),
    "Pow": _power,
    "Add": partial(arithmetic, operator.add),
    "Sum": partial(arithmetic, operator.add),
    "Sub": partial(arithmetic, operator.sub),
    "Mul": partial(arithmetic, operator.mul),
    "Div": partial(arithmetic, operator.truediv),
    "Max": partial(arithmetic, torch.maximum),
    "Min": partial(arithmetic, torch.minimum),
    "BatchNormalization": _batch_norm,
    "InstanceNormalization": _instance_norm,
    "LayerNormalization": _layer_norm,
    "MatMul": _product,
    "Gemm": _general_product,
    "Softmax": partial(_softmax, nn.Softmax),
    "LogSoftmax": partial(_softmax, nn.LogSoftmax),
    "ReduceMean": _mean,
}
