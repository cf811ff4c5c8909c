"""Loads an ONNX file as a network: the same graph in torch's modules, with ONNX's layer names.

The input convention is the file's metadata `input_convention` (`networks.normalisation`), else
torchvision's, or grey from 0 to 1 for one channel. Class names are its metadata `classes`.
"""

from collections import Counter
from pathlib import Path

import numpy as np
import torch
from torch import fx, nn

from render.errors import NetworkError, suggest
from render.networks.catalogue import ParametersOnMeta
from render.networks.graph import GraphNetwork
from render.networks.normalisation import (
    CONVENTION_ATTRIBUTE,
    CONVENTIONS,
    GREY,
    TORCHVISION,
)
from render.networks.onnx_axes import AXIS_OPERATORS, split
from render.networks.onnx_builder import Builder, Operand, Operator, Value
from render.networks.onnx_constants import constant_of, fold
from render.networks.onnx_file import OnnxError, load_model
from render.networks.onnx_graph import NodeError, OnnxGraph, OnnxNode, read_graph
from render.networks.onnx_pointwise import POINTWISE_OPERATORS
from render.networks.onnx_windows import WINDOW_OPERATORS

_OPERATORS: dict[str, Operator] = WINDOW_OPERATORS | POINTWISE_OPERATORS | AXIS_OPERATORS

_MAX_FOLDED = 1 << 26
"""The most numbers that are computed from constants, besides those of weights in another order."""

_BUILD_ERRORS = (ValueError, TypeError, LookupError, RuntimeError, ArithmeticError, AttributeError)
"""What numpy and torch raise for attributes of wrong types and sizes."""


class OnnxNetwork(GraphNetwork):
    """A network of an ONNX file.

    class_count: the scores of a picture; 0 if its output is none. class_names: of the file.
    input_shape: the shape that the file states, with a batch of 1.
    """

    def __init__(
        self, body: fx.GraphModule, layer_names: dict[str, str], source: OnnxGraph
    ) -> None:
        super().__init__(body, layer_names)
        self.input_shape = source.shape
        self.class_names = source.classes()
        self.class_count = 0


def load_onnx(path: Path) -> OnnxNetwork:
    """Load a file's network with its weights, in evaluation mode.

    Raises NetworkError, in one line, if it is no whole ONNX file, has an operator that is not
    translated, or takes anything else than one picture of one or three channels.
    """
    model = load_model(path)
    try:
        source = read_graph(model)
        del model
        with ParametersOnMeta(), torch.no_grad():
            network = _Translation(source).network()
        _set_convention(network, source)
    except NodeError as error:
        raise NetworkError(
            f"network {path}: {error}; cut the file before it with onnx.utils.extract_model"
        ) from error
    except OnnxError as error:
        raise NetworkError(
            f"network {path}: {error}; is it a whole network for pictures?"
        ) from error
    except _BUILD_ERRORS as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise NetworkError(
            f"network {path}: cannot be built ({reason}); is it a whole .onnx file?"
        ) from error
    return network


def _set_convention(network: OnnxNetwork, source: OnnxGraph) -> None:
    channels = _channels(source)
    named = source.metadata.get(CONVENTION_ATTRIBUTE, GREY if channels == 1 else TORCHVISION)
    known = [TORCHVISION, *CONVENTIONS]
    if named not in known:
        raise OnnxError(
            f"its {CONVENTION_ATTRIBUTE} {named} is not known ({suggest(named, known)})"
        )
    if (len(CONVENTIONS[named].mean) if named in CONVENTIONS else 3) != channels:
        raise OnnxError(f"its {CONVENTION_ATTRIBUTE} {named} is not one for {channels} channels")
    setattr(network, CONVENTION_ATTRIBUTE, named)


def _is_channels_last(source: OnnxGraph) -> bool:
    return source.shape[1] not in (1, 3)


def _channels(source: OnnxGraph) -> int:
    channels = source.shape[-1 if _is_channels_last(source) else 1]
    if channels not in (1, 3):
        shape = "x".join(map(str, source.shape))
        raise OnnxError(
            f"its input {source.input} is {shape}, not a picture of one or three channels"
        )
    return channels


class _Translation:
    """Translates the nodes of a file, in order."""

    def __init__(self, source: OnnxGraph) -> None:
        reads = Counter(name for node in source.nodes for name in node.inputs)
        reads[source.output] += 1
        self._source = source
        self._build = Builder(reads)
        self._known: dict[str, Operand] = dict(source.constants)
        self._names: dict[str, str] = {}
        self._folded = 0

    def network(self) -> OnnxNetwork:
        """Return the network of all nodes."""
        self._known[self._source.input] = self._picture()
        for node in self._source.nodes:
            self._translate(node)
        output = self._known.get(self._source.output)
        if not isinstance(output, Value):
            raise OnnxError(f"its output {self._source.output} does not depend on the picture")
        self._build.graph.output(output.node)
        body = fx.GraphModule(self._build.root, self._build.graph)
        network = OnnxNetwork(body, self._names, self._source)
        if output.is_pooled:
            network.class_count = int(np.prod(output.shape))
        return network.eval()

    def _picture(self) -> Value:
        """The input as (N, C, H, W), and also in the file's order."""
        source, given = self._source, self._build.graph.placeholder("pictures")
        _channels(source)
        if not _is_channels_last(source):
            return Value(given, source.shape)
        moved = self._build.graph.call_function(torch.permute, (given, (0, 2, 3, 1)))
        return Value(moved, source.shape, (3,))

    def _translate(self, node: OnnxNode) -> None:
        operands = [self._operand(node, name) for name in node.inputs]
        while operands and operands[-1] is None:
            operands.pop()
        if node.operator == "Constant":
            self._known[node.outputs[0]] = constant_of(node)
            return
        constants = self._constants(node, operands)
        if constants is not None:
            self._fold(node, constants)
            return
        if node.operator == "Split":
            for name, part in zip(node.outputs, split(self._build, node, operands), strict=True):
                self._set(name, part, name)
            return
        if node.operator not in _OPERATORS:
            raise node.refuse("is not translated")
        made = _OPERATORS[node.operator](self._build, node, operands)
        if any(made is one for one in operands):
            # Each value has one name, so the uses of a name are those of its value.
            made = self._build.module(nn.Identity(), made)
        self._set_output(node, made, operands)

    def _operand(self, node: OnnxNode, name: str) -> Operand | None:
        if not name:
            return None
        if name not in self._known:
            raise node.refuse(f"reads {name}, which no node before it makes")
        return self._known[name]

    def _constants(self, node: OnnxNode, operands: list[Operand | None]) -> list[np.ndarray] | None:
        """The inputs of a node that can be computed now; None for other nodes."""
        if node.operator in ("Shape", "Size") and isinstance(operands[0], Value):
            return [np.broadcast_to(np.zeros(1, np.bool_), operands[0].shape)]
        found = [one for one in operands if isinstance(one, np.ndarray)]
        return found if len(found) == len([one for one in operands if one is not None]) else None

    def _fold(self, node: OnnxNode, constants: list[np.ndarray]) -> None:
        made = fold(node, constants)
        is_new = not any(made is one or made.base is one for one in constants)
        self._folded += made.size if is_new else 0
        if self._folded > _MAX_FOLDED:
            raise node.refuse("is one of too many constants to compute")
        self._set_known(node.outputs[0], made)

    def _set_output(self, node: OnnxNode, made: Value, operands: list[Operand | None]) -> None:
        # Scores after a softmax hardly have a gradient.
        is_last = (
            node.operator in ("Softmax", "LogSoftmax") and node.outputs[0] == self._source.output
        )
        if is_last and made.is_pooled and isinstance(operands[0], Value):
            self._build.graph.erase_node(made.node)
            self._set_known(node.outputs[0], operands[0])
        else:
            self._set(node.outputs[0], made, node.name, renames=node.operator == "Add")

    def _set(self, output: str, made: Value, layer: str, *, renames: bool = False) -> None:
        """Keep a node's output. A product with its bias added has the name of the sum."""
        self._set_known(output, made)
        if renames or made.node.name not in self._names:
            self._names[made.node.name] = layer

    def _set_known(self, output: str, made: Operand) -> None:
        if output in self._known:
            raise OnnxError(f"two nodes make {output}")
        self._known[output] = made
