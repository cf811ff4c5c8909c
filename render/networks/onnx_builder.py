"""Builds the torch.fx graph of an ONNX network, and keeps the shape of each value.

Shapes are those of a picture of the file's size. They tell what a node means: which axes are
channels, or how much `SAME` pads. The graph itself takes pictures of any size.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import fx, nn

from render.networks.onnx_file import OnnxError
from render.networks.onnx_graph import OnnxNode

_MAX_VALUES = 1 << 31
"""The most values of a layer at the file's size; ResNet-50's largest has 800,000."""

_MAX_WEIGHTS = 1 << 30
"""The most values of all layers; so many float16 values fit into the largest file. A tensor of the
file counts for each layer that has it."""

_MAX_RANK = 8

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Value:
    """A value of the network.

    node: what computes it. shape: at the file's size, with a batch of 1.
    channels: the axes that hold channels; the others behind the batch are rows and columns.
    is_pooled: whether rows and columns are one for a picture of any size.
    """

    node: fx.Node
    shape: Shape
    channels: tuple[int, ...] = (1,)
    is_pooled: bool = False

    @property
    def sides(self) -> Shape:
        """Rows and columns."""
        return self.shape[2:]

    @property
    def is_map(self) -> bool:
        """Whether it has the axes of a feature map: batch, channels, rows, columns."""
        return len(self.shape) == 4 and self.channels == (1,)


Operand = Value | np.ndarray
"""An input of a node: a value of the network, or a constant."""

Operands = Sequence[Operand | None]
"""The inputs of a node; None for one that is left out."""

Operator = Callable[["Builder", OnnxNode, Operands], Value]
"""Translates a node: adds to the graph, and returns the node's output."""


@dataclass
class Builder:
    """A graph in the making.

    root: holds the modules and constants. uses: how many nodes read each value, by its name.
    sources: the values before a reshape to one axis, which only indices can follow.
    weights: how many values the modules and constants have.
    """

    uses: dict[str, int]
    graph: fx.Graph = field(default_factory=fx.Graph)
    root: nn.Module = field(default_factory=nn.Module)
    sources: dict[fx.Node, Value] = field(default_factory=dict)
    weights: int = 0

    def module(self, module: nn.Module, x: Value, shape: Shape | None = None) -> Value:
        """Call a module on a value. shape: of the result, if it is another one."""
        self._add_weights(sum(one.numel() for one in module.parameters()))
        name = f"part_{len(self.graph.nodes)}"
        self.root.add_module(name, module.eval().requires_grad_(False))
        return self._value(self.graph.call_module(name, (x.node,)), x, shape)

    def call(
        self, function: Callable[..., Any], x: Value, *args: Any, shape: Shape | None = None
    ) -> Value:
        """Call a function on a value and other arguments."""
        return self._value(self.graph.call_function(function, (x.node, *args)), x, shape)

    def combine(self, function: Callable[..., Any], operands: Sequence[Operand]) -> Value:
        """Call a function of two operands, which are broadcast; one at least is a value."""
        values = [one for one in operands if isinstance(one, Value)]
        shape = np.broadcast_shapes(*(one.shape for one in operands))
        widest = max(values, key=lambda one: (len(one.shape), not one.is_pooled))
        if len(shape) != len(widest.shape):
            raise OnnxError(
                "a constant has more dimensions than the layer that it is combined with"
            )
        args = tuple(one.node if isinstance(one, Value) else self.constant(one) for one in operands)
        return self._value(self.graph.call_function(function, args), widest, shape)

    def constant(self, array: np.ndarray) -> fx.Node | float:
        """A constant as an argument: a number, or a tensor of the root."""
        if array.size == 1:
            return float(array.item())
        self._add_weights(array.size)
        name = f"constant_{len(self.graph.nodes)}"
        self.root.register_buffer(name, tensor(array))
        return self.graph.get_attr(name)

    def _add_weights(self, count: int) -> None:
        self.weights += count
        if self.weights > _MAX_WEIGHTS:
            raise OnnxError(f"its layers have more than {_MAX_WEIGHTS} weights")

    def _value(self, node: fx.Node, x: Value, shape: Shape | None) -> Value:
        shape = x.shape if shape is None else tuple(int(side) for side in shape)
        if len(shape) > _MAX_RANK or math.prod(shape) > _MAX_VALUES or min(shape, default=1) < 1:
            raise OnnxError(f"a layer of {'x'.join(map(str, shape))} values cannot be computed")
        return replace(x, node=node, shape=shape)


def tensor(array: np.ndarray) -> torch.Tensor:
    """A float tensor with an array's values: float64 stays, all others become float32."""
    kind = np.float64 if array.dtype == np.float64 else np.float32
    return torch.from_numpy(np.array(array, kind))


def set_values(module: nn.Module, **values: np.ndarray | None) -> nn.Module:
    """Set parameters or buffers of a module that has none with values yet."""
    for name, array in values.items():
        if array is not None:
            wanted = getattr(module, name).shape
            if tuple(array.shape) != tuple(wanted):
                raise OnnxError(
                    f"{name} has the shape {list(array.shape)}, and {list(wanted)} is expected"
                )
    state = {name: tensor(array) for name, array in values.items() if array is not None}
    module.load_state_dict(state, strict=False, assign=True)
    return module


def as_value(node: OnnxNode, operands: Operands, index: int = 0) -> Value:
    """An input that must be a value of the network. Raises OnnxError."""
    found = operands[index] if len(operands) > index else None
    if not isinstance(found, Value):
        raise node.refuse("has no layer as its input")
    return found


def as_constant(node: OnnxNode, operands: Operands, index: int, name: str) -> np.ndarray:
    """An input that must be a constant. name: what it is, for messages. Raises OnnxError."""
    found = optional_constant(node, operands, index, name)
    if found is None:
        raise node.refuse(f"has no {name}")
    return found


def optional_constant(
    node: OnnxNode, operands: Operands, index: int, name: str
) -> np.ndarray | None:
    """An input that may be left out, and else must be a constant. Raises OnnxError."""
    found = operands[index] if len(operands) > index else None
    if isinstance(found, Value):
        raise node.refuse(f"computes its {name} from the picture")
    return found


def constants_of(operands: Operands) -> list[np.ndarray | None]:
    """The constants among the inputs; None for the others."""
    return [one if isinstance(one, np.ndarray) else None for one in operands]
