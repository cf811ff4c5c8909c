"""Traces a network to a torch.fx graph whose nodes have torchvision's layer names."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, fx, nn

from render.errors import LayerError, suggest
from render.networks.caffe_layers import LocalResponseNorm
from render.networks.normalisation import InputConversion, input_conversion
from render.networks.torchvision_import import NodePathTracer, torchvision


class GraphNetwork(nn.Module):
    """A network that is a graph already, with layer names of its own (ONNX).

    body: the graph. layer_names: the layer of each node, by the node's name, in order. `/` is
    between the blocks in these names, and a `.` means nothing.
    """

    def __init__(self, body: fx.GraphModule, layer_names: Mapping[str, str]) -> None:
        super().__init__()
        self.body = body
        self.layer_names = dict(layer_names)

    def forward(self, x: Tensor) -> Tensor:
        """Return the network's output for pictures in its own input convention."""
        out: Tensor = self.body(x)
        return out


@dataclass(frozen=True)
class TracedNetwork:
    """A traced network, and the layer name of each node in order of execution.

    separator: what is between the blocks in a layer's name.
    """

    graph: fx.GraphModule
    names: dict[fx.Node, str]
    separator: str = "."

    def node(self, layer: str, network: str = "") -> fx.Node:
        """Return the node of a layer. The name of a block gives the last node in the block.

        `features.9` and `inception4c` mean the outputs of those blocks, as in torchvision's
        `create_feature_extractor`. Raises LayerError, with similar names, if there is none.

        network: its name, for messages.
        """
        last_in_block = None
        for node, name in self.names.items():
            if name == layer:
                return node
            if self.is_in_block(name, layer):
                last_in_block = node
        if last_in_block is None:
            place = f"layer {layer} of {network}" if network else f"layer {layer}"
            raise LayerError(f"{place}: no such layer; {suggest(layer, self.layer_names())}")
        return last_in_block

    def is_in_block(self, name: str, block: str) -> bool:
        """Whether a layer is a block or lies in it."""
        return (name + self.separator).startswith(block + self.separator)

    def layer_names(self) -> list[str]:
        """Return every name that `node` accepts: nodes and the blocks around them."""
        names = list(self.names.values())
        parts = [name.split(self.separator) for name in names]
        blocks = {self.separator.join(one[:end]) for one in parts for end in range(1, 9)}
        return sorted((blocks - {""}) | set(names))


def trace(network: torch.nn.Module) -> TracedNetwork:
    """Trace a network in evaluation mode, down to torch's own modules and functions.

    torchvision's feature extraction does not trace into the modules of `torchvision.ops`. This
    does, so that batch norm inside them can be folded. Their names still work as blocks.

    The graph takes pictures in torchvision's normalisation. A conversion, which has no name, comes
    first if the network expects another one.
    """
    traced = (
        _with_own_names(network)
        if isinstance(network, GraphNetwork)
        else _with_module_names(network)
    )
    if (conversion := input_conversion(network)) is not None:
        _convert_input(traced.graph, conversion)
    return traced


def _with_own_names(network: GraphNetwork) -> TracedNetwork:
    copies: dict[fx.Node, fx.Node] = {}
    graph = fx.Graph()
    graph.output(graph.graph_copy(network.body.graph, copies))
    module = fx.GraphModule(network.body, graph)
    own = network.layer_names
    names = {copy: own[node.name] for node, copy in copies.items() if node.name in own}
    return TracedNetwork(module, names, separator="/")


def _with_module_names(network: nn.Module) -> TracedNetwork:
    tracer = NodePathTracer(
        autowrap_modules=(math, torchvision.ops), leaf_modules=[LocalResponseNorm]
    )
    graph = tracer.trace(network)
    module = fx.GraphModule(tracer.root, graph)
    originals = zip(graph.nodes, module.graph.nodes, strict=True)
    names = {
        copy: tracer.node_to_qualname[original]
        for original, copy in originals
        if original in tracer.node_to_qualname and original.op not in ("placeholder", "output")
    }
    return TracedNetwork(module, names)


def _convert_input(module: fx.GraphModule, conversion: InputConversion) -> None:
    """Put a conversion between the input and everything that reads it."""
    (given,) = (node for node in module.graph.nodes if node.op == "placeholder")
    module.add_submodule("input_conversion", conversion)
    with module.graph.inserting_after(given):
        converted = module.graph.call_module("input_conversion", (given,))
    given.replace_all_uses_with(converted, delete_user_cb=lambda user: user is not converted)
    module.recompile()


def module_of(graph: fx.GraphModule, node: fx.Node) -> nn.Module | None:
    """Return the module that a node calls, or None if the node is something else."""
    return graph.get_submodule(str(node.target)) if node.op == "call_module" else None


def operation_name(graph: fx.GraphModule, node: fx.Node) -> str:
    """Return the name of what a node calls: a module's class, a function or a method."""
    if (module := module_of(graph, node)) is not None:
        return type(module).__name__
    return str(getattr(node.target, "__name__", node.target))


def is_relu(graph: fx.GraphModule, node: fx.Node) -> bool:
    """Whether a node is a ReLU, as a module or a function."""
    if node.op == "call_function":
        return node.target in (torch.relu, nn.functional.relu)
    return isinstance(module_of(graph, node), nn.ReLU)
