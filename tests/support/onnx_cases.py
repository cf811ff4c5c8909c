"""Small ONNX models of every operator that is translated."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx

from tests.support.onnx_files import Arrays, node, small_model

RNG = np.random.default_rng(7)


def floats(*shape: int) -> np.ndarray:
    return RNG.normal(0, 1, shape).astype(np.float32)


def number(value: float) -> np.ndarray:
    return np.array(value, np.float32)


def whole(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int64)


@dataclass
class Case:
    """A model. sizes: of pictures for which it is compared; the first is that of the file."""

    nodes: list[onnx.NodeProto]
    constants: Arrays = field(default_factory=dict)
    sizes: tuple[tuple[int, int], ...] = ((12, 10), (20, 14))
    opset: int = 20
    channels: int = 3

    @property
    def model(self) -> onnx.ModelProto:
        """The model, for pictures of the first size."""
        shape = (1, self.channels, *self.sizes[0])
        return small_model(self.nodes, self.constants, shape, opset=self.opset)


def one(operator: str, inputs: str = "x", *, opset: int = 20, **attributes: Any) -> Case:
    return Case([node(operator, inputs, **attributes)], opset=opset)


def with_constants(case: Case, **constants: np.ndarray) -> Case:
    case.constants = constants
    return case


def conv(**attributes: Any) -> Case:
    case = one("Conv", "x w b", **attributes)
    groups = attributes.get("group", 1)
    return with_constants(case, w=floats(6, 3 // groups, 3, 3), b=floats(6))


def binary(operator: str, constant: np.ndarray | float, *, first: bool = False) -> Case:
    case = one(operator, "c x" if first else "x c")
    return with_constants(case, c=np.asarray(constant, np.float32))


POOL: dict[str, Any] = {"kernel_shape": [3, 3], "strides": [2, 2]}

ONE_SIZE = ((12, 10),)
"""For what pads or averages as for a picture of the file's size."""

CASES = {
    "conv": conv(),
    "conv, padded": conv(pads=[1, 1, 1, 1], strides=[2, 2]),
    "conv, uneven": conv(pads=[0, 1, 2, 0]),
    "conv, dilated": conv(dilations=[2, 1], pads=[2, 0, 2, 0]),
    "conv, groups": conv(group=3),
    "conv, valid": conv(auto_pad="VALID", strides=[2, 2]),
    "conv, same upper": conv(auto_pad="SAME_UPPER", strides=[2, 2]),
    "conv, same lower": conv(auto_pad="SAME_LOWER", strides=[2, 2]),
    "max pool": one("MaxPool", **POOL),
    "max pool, ceil": one("MaxPool", ceil_mode=1, **POOL),
    "max pool, ceil and padding": one("MaxPool", ceil_mode=1, pads=[1, 1, 1, 1], **POOL),
    "max pool, uneven": one("MaxPool", pads=[0, 0, 1, 1], **POOL),
    "max pool, same": one("MaxPool", auto_pad="SAME_UPPER", **POOL),
    "max pool, wide padding": one("MaxPool", pads=[2, 2, 2, 2], **POOL),
    "max pool, ceil, before a head": Case(
        [
            node("MaxPool", "x", "p", kernel_shape=[1, 1], strides=[2, 2], ceil_mode=1),
            node("Flatten", "p", "f"),
            node("MatMul", "f w"),
        ],
        {"w": floats(3 * 6 * 5, 4)},
        ONE_SIZE,
    ),
    "max pool, valid and ceil": one("MaxPool", auto_pad="VALID", ceil_mode=1, **POOL),
    "max pool, same and ceil": one("MaxPool", auto_pad="SAME_UPPER", ceil_mode=1, **POOL),
    "max pool, dilated": one("MaxPool", kernel_shape=[2, 2], dilations=[2, 2]),
    "average pool": one("AveragePool", pads=[1, 1, 1, 1], **POOL),
    "average pool, with padding": one(
        "AveragePool", pads=[1, 1, 1, 1], count_include_pad=1, **POOL
    ),
    "average pool, ceil": one("AveragePool", ceil_mode=1, **POOL),
    "average pool, uneven": one("AveragePool", pads=[0, 0, 1, 1], count_include_pad=1, **POOL),
    "global average": one("GlobalAveragePool"),
    "global maximum": one("GlobalMaxPool"),
    "mean": with_constants(one("ReduceMean", "x a"), a=whole(2, 3)),
    "mean, flat": with_constants(one("ReduceMean", "x a", keepdims=0), a=whole(-1, -2)),
    "mean of channels": with_constants(one("ReduceMean", "x a"), a=whole(1)),
    "mean, old": one("ReduceMean", axes=[2, 3], opset=13),
    "pad": with_constants(one("Pad", "x p v"), p=whole(0, 0, 1, 2, 0, 0, 3, 0), v=number(0.5)),
    "pad, reflect": with_constants(
        one("Pad", "x p", mode="reflect"), p=whole(0, 0, 1, 2, 0, 0, 3, 0)
    ),
    "pad, edge": with_constants(one("Pad", "x p", mode="edge"), p=whole(0, 0, 1, 2, 0, 0, 3, 0)),
    "pad, old": one("Pad", pads=[0, 0, 1, 1, 0, 0, 1, 1], opset=10),
    "resize": with_constants(
        one(
            "Resize",
            "x - s",
            mode="nearest",
            nearest_mode="floor",
            coordinate_transformation_mode="asymmetric",
        ),
        s=np.array([1, 1, 2, 3], np.float32),
    ),
    "resize, half pixel": with_constants(
        one("Resize", "x - s", mode="nearest"), s=np.array([1, 1, 3, 2], np.float32)
    ),
    "resize, sizes": Case(
        [node("Resize", "x - - s", mode="nearest")], {"s": whole(1, 3, 24, 20)}, ONE_SIZE
    ),
    "resize, linear": with_constants(
        one("Resize", "x - s", mode="linear"), s=np.array([1, 1, 2, 2], np.float32)
    ),
    "relu": one("Relu"),
    "leaky": one("LeakyRelu", alpha=0.2),
    "elu": one("Elu", alpha=0.7),
    "selu": one("Selu"),
    "log of softmax": Case([node("LogSoftmax", "x", "l", axis=1), node("Neg", "l")]),
    "sigmoid": one("Sigmoid"),
    "tanh": one("Tanh"),
    "softplus": one("Softplus"),
    "hard sigmoid": one("HardSigmoid"),
    "hard sigmoid of torch": one("HardSigmoid", alpha=1 / 6, beta=0.5),
    "hard swish": one("HardSwish"),
    "mish": one("Mish"),
    "gelu": one("Gelu"),
    "gelu, tanh": one("Gelu", approximate="tanh"),
    "prelu": with_constants(one("PRelu", "x s"), s=floats(3, 1, 1)),
    "prelu, one slope": with_constants(one("PRelu", "x s"), s=floats(1)),
    "clip to 6": with_constants(one("Clip", "x l h"), l=number(0), h=number(6)),
    "clip": with_constants(one("Clip", "x l h"), l=number(-0.5), h=number(0.25)),
    "clip, from below": with_constants(one("Clip", "x l"), l=number(-0.5)),
    "clip, from above": with_constants(one("Clip", "x - h"), h=number(0.5)),
    "clip, without bounds": one("Clip"),
    "clip, old": one("Clip", min=-0.3, max=0.6, opset=6),
    "dropout": one("Dropout"),
    "identity": one("Identity"),
    "cast": one("Cast", to=1),
    "exp": one("Exp"),
    "erf": one("Erf"),
    "abs": one("Abs"),
    "neg": one("Neg"),
    "power": binary("Pow", 2.0),
    "add": binary("Add", 0.5),
    "add channels": binary("Add", floats(3, 1, 1)),
    "subtract from": binary("Sub", 2.0, first=True),
    "multiply": binary("Mul", floats(1, 3, 1, 1)),
    "divide": binary("Div", floats(3, 1, 1) + 4),
    "divide into": binary("Div", 3.0, first=True),
    "maximum": binary("Max", 0.2),
    "minimum": binary("Min", 0.2),
    "maximum of two": Case([node("Neg", "x", "n"), node("Max", "x n")]),
    "sum": Case([node("Neg", "x", "n"), node("Abs", "x", "a"), node("Sum", "x n a")]),
    "root": Case([node("Abs", "x", "a"), node("Sqrt", "a", "r"), node("Reciprocal", "r")]),
    "batch norm": with_constants(
        one("BatchNormalization", "x w b m v"),
        w=floats(3),
        b=floats(3),
        m=floats(3),
        v=np.abs(floats(3)) + 0.1,
    ),
    "instance norm": with_constants(
        one("InstanceNormalization", "x w b"), w=floats(3), b=floats(3)
    ),
    "layer norm": Case(
        [
            node("Transpose", "x", "t", perm=[0, 2, 3, 1]),
            node("LayerNormalization", "t w b", "n", axis=-1, epsilon=1e-3),
            node("MatMul", "n m", "p"),
            node("Add", "p c", "q"),
            node("Transpose", "q", perm=[0, 3, 1, 2]),
        ],
        {"w": floats(3), "b": floats(3), "m": floats(3, 7), "c": floats(7)},
    ),
    "layer norm in parts": Case(
        [
            node("Transpose", "x", "t", perm=[0, 2, 3, 1]),
            node("ReduceMean", "t", "m", axes=[-1]),
            node("Sub", "t m", "d"),
            node("Pow", "d two", "p"),
            node("ReduceMean", "p", "v", axes=[-1]),
            node("Add", "v eps", "e"),
            node("Sqrt", "e", "s"),
            node("Div", "d s", "n"),
            node("Transpose", "n", perm=[0, 3, 1, 2]),
        ],
        {"two": number(2), "eps": number(1e-5)},
        opset=13,
    ),
    "concat": Case([node("Neg", "x", "n"), node("Concat", "x n", axis=1)]),
    "concat, from the end": Case([node("Neg", "x", "n"), node("Concat", "x n", axis=-3)]),
    "slice of channels": with_constants(
        one("Slice", "x s e a"), s=whole(1), e=whole(3), a=whole(1)
    ),
    "slice of a border": with_constants(
        one("Slice", "x s e a"), s=whole(1, 0), e=whole(2**62, -2), a=whole(2, 3)
    ),
    "slice in steps": with_constants(
        one("Slice", "x s e a t"),
        s=whole(1, 0),
        e=whole(2**62, 2**62),
        a=whole(2, 3),
        t=whole(2, 2),
    ),
    "slice, old": one("Slice", axes=[1], starts=[0], ends=[2], opset=9),
    "shuffled channels": Case(
        [
            node("Concat", "x x", "c", axis=1),
            node("Reshape", "c in", "g"),
            node("Transpose", "g", "t", perm=[0, 2, 1, 3, 4]),
            node("Reshape", "t out"),
        ],
        {"in": whole(1, 2, 3, 12, 10), "out": whole(1, 6, 12, 10)},
        ONE_SIZE,
    ),
    "other order of channels": with_constants(one("Gather", "x i", axis=1), i=whole(2, 0, -2)),
    "one channel": Case(
        [
            node("Gather", "x i", "c", axis=1),
            node("Mul", "c k", "m"),
            node("Unsqueeze", "m a", "u"),
            node("Concat", "u x", axis=1),
        ],
        {"i": np.array(1), "k": number(0.3), "a": whole(1)},
    ),
    "head": Case(
        [
            node("GlobalAveragePool", "x", "p"),
            node("Squeeze", "p axes", "s"),
            node("Gemm", "s w b", "g", transB=1, alpha=0.5, beta=2.0),
            node("Softmax", "g", "y", axis=-1),
        ],
        {"axes": whole(2, 3), "w": floats(5, 3), "b": floats(5)},
    ),
    "head of a picture": Case(
        [node("Reshape", "x s", "f"), node("MatMul", "f w", "m"), node("Add", "m b")],
        {"s": whole(0, -1), "w": floats(360, 4), "b": floats(4)},
        ONE_SIZE,
    ),
    "a product that is read twice": Case(
        [
            node("Flatten", "x", "f"),
            node("MatMul", "f w", "m"),
            node("Add", "m b", "s"),
            node("Mul", "m s"),
        ],
        {"w": floats(360, 4), "b": floats(4)},
        ONE_SIZE,
    ),
    "a product under two names": Case(
        [
            node("Flatten", "x", "f"),
            node("MatMul", "f w", "m"),
            node("Flatten", "m", "k"),
            node("Add", "k b", "s"),
            node("Mul", "m s"),
        ],
        {"w": floats(360, 4), "b": floats(4)},
        ONE_SIZE,
    ),
    "squeeze and excitation": Case(
        [
            node("GlobalAveragePool", "x", "p"),
            node("Conv", "p w", "c"),
            node("Sigmoid", "c", "s"),
            node("Mul", "s x"),
        ],
        {"w": floats(3, 3, 1, 1)},
    ),
    "half of the channels, by its shape": Case(
        [
            node("Shape", "x", "s"),
            node("Gather", "s one", "c", axis=0),
            node("Add", "c one", "d"),
            node("Div", "d two", "h"),
            node("Slice", "x zero h one"),
        ],
        {"zero": whole(0), "one": whole(1), "two": whole(2)},
    ),
    "a part of a shape": Case(
        [
            node("Shape", "x", "s", start=-3, end=2),
            node("Div", "s two", "h"),
            node("Slice", "x zero h one"),
        ],
        {"zero": whole(0), "one": whole(1), "two": whole(2)},
    ),
    "numbers from the end": Case(
        [node("Slice", "v s e a t", "w"), node("Gather", "x w", axis=1)],
        {"v": whole(0, 1, 2, 0, 1), "s": whole(4), "e": whole(-3), "a": whole(0), "t": whole(-1)},
    ),
    "all numbers from the end": Case(
        [node("Slice", "v s e a t", "w"), node("Gather", "x w", axis=1)],
        {"v": whole(0, 1, 2), "s": whole(2), "e": whole(-(2**62)), "a": whole(0), "t": whole(-1)},
    ),
    "product of one axis": Case(
        [node("ReduceProd", "c", "p", axes=[0], keepdims=0), node("Gather", "x p", axis=1)],
        {"c": whole(1, 2, 1, 0, 1, 1).reshape(3, 2)},
        opset=13,
    ),
    "a constant node": Case(
        [node("Constant", "", "c", value_float=0.5), node("Mul", "x c")],
    ),
    "grey": Case([node("Conv", "x w")], {"w": floats(4, 1, 3, 3)}, channels=1),
}
