"""The nodes, constants and input of an ONNX file, as plain values."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from render.networks.onnx_file import OnnxError

if TYPE_CHECKING:
    import onnx

_DOMAINS = ("", "ai.onnx")
"""Names of the standard operators' domain."""

_FREE_SIDE = 224
"""Pixels of a side that the file leaves open; most networks are trained at this size."""

_MAX_SIDE = 1 << 16


class NodeError(OnnxError):
    """What is wrong with a node; without it the file may be right."""


@dataclass(frozen=True)
class OnnxNode:
    """One operation.

    name: unique; that of the node, or else of its output. inputs, outputs: names of values; an
    empty name means none. attributes: numbers, text, lists of them, and arrays. version: of the
    standard operators in its file ("opset").
    """

    operator: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    version: int

    def number(self, name: str, default: float) -> float:
        """The value of an attribute that is one number."""
        return float(self.attributes.get(name, default))

    def whole(self, name: str, default: int) -> int:
        """The value of an attribute that is one whole number."""
        return int(self.attributes.get(name, default))

    def text(self, name: str, default: str) -> str:
        """The value of an attribute that is text."""
        value = self.attributes.get(name, default)
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)

    def refuse(self, problem: str) -> OnnxError:
        """The error for a node that cannot be translated."""
        return NodeError(f"node {self.name} ({self.operator}) {problem}")


@dataclass(frozen=True)
class OnnxGraph:
    """A network as the file has it.

    shape: of the input, with the file's size or the usual one. constants: arrays by name; floats
    are float32 or float64. metadata: what the file states about itself.
    """

    input: str
    shape: tuple[int, ...]
    output: str
    nodes: tuple[OnnxNode, ...]
    constants: Mapping[str, np.ndarray]
    metadata: Mapping[str, str]

    def classes(self) -> tuple[str, ...]:
        """The class names that the metadata `classes` states, a JSON list; empty without it."""
        try:
            words = json.loads(self.metadata.get("classes", ""))
        except (ValueError, RecursionError):
            return ()
        is_list = isinstance(words, list) and all(isinstance(word, str) for word in words)
        return tuple(words) if is_list else ()


def read_graph(model: "onnx.ModelProto") -> OnnxGraph:
    """Read the graph of a parsed file. Raises OnnxError or ValueError."""
    graph = model.graph
    constants = {tensor.name: _array(tensor) for tensor in graph.initializer}
    inputs = [one for one in graph.input if one.name not in constants]
    if len(inputs) != 1 or not graph.output:
        names = ", ".join(one.name for one in inputs[:4])
        raise OnnxError(f"it has {len(inputs)} inputs ({names}), and one picture is expected")
    taken: set[str] = set()
    versions = [one.version for one in model.opset_import if one.domain in _DOMAINS]
    nodes = tuple(_node(node, taken, max(versions, default=1)) for node in graph.node)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    shape = _input_shape(inputs[0])
    return OnnxGraph(inputs[0].name, shape, graph.output[0].name, nodes, constants, metadata)


def _input_shape(given: "onnx.ValueInfoProto") -> tuple[int, ...]:
    """The shape of the input: its batch is 1, and an open side the usual one."""
    dimensions = [dimension.dim_value for dimension in given.type.tensor_type.shape.dim]
    if len(dimensions) != 4:
        raise OnnxError(
            f"its input {given.name} has {len(dimensions)} dimensions, not the four of a picture"
        )
    if any(not 0 <= side <= _MAX_SIDE for side in dimensions):
        raise OnnxError(f"its input {given.name} has a side above {_MAX_SIDE} pixels")
    _, *sides = dimensions
    if sides[0] == 0 and sides[2] not in (1, 3):
        sides[0] = 3
    return (1, *(side or _FREE_SIDE for side in sides))


def _node(node: "onnx.NodeProto", taken: set[str], version: int) -> OnnxNode:
    outputs = tuple(node.output)
    names = [name for name in (node.name, *outputs, f"{node.op_type}_{len(taken)}") if name]
    name = next((one for one in names if one not in taken), f"{names[0]}_{len(taken)}")
    taken.add(name)
    if node.domain not in _DOMAINS:
        raise NodeError(
            f"node {name} has the operator {node.op_type} of {node.domain}, and only those of ONNX "
            "itself are translated"
        )
    attributes = {attribute.name: _attribute(attribute) for attribute in node.attribute}
    return OnnxNode(node.op_type, name, tuple(node.input), outputs, attributes, version)


def _attribute(attribute: "onnx.AttributeProto") -> Any:
    from onnx import AttributeProto, helper

    if attribute.type == AttributeProto.TENSOR:
        return _array(attribute.t)
    if attribute.type in (AttributeProto.GRAPH, AttributeProto.GRAPHS):
        return None  # of operators that are refused
    return helper.get_attribute_value(attribute)


def _array(tensor: "onnx.TensorProto") -> np.ndarray:
    """A tensor's values: narrow floats as float32."""
    from onnx import numpy_helper

    values = np.asarray(numpy_helper.to_array(tensor))
    if math.prod(tensor.dims) != values.size:
        raise OnnxError(f"tensor {tensor.name} has {values.size} values, not its shape's")
    is_narrow = values.dtype.itemsize == 2 and values.dtype.kind not in "iu"
    return values.astype(np.float32) if is_narrow else values
