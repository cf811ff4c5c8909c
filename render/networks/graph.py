"""A network as a graph whose nodes carry torchvision's names."""

import math
from dataclasses import dataclass

import torch
import torchvision
from torch import fx, nn
from torchvision.models.feature_extraction import NodePathTracer

from render.errors import LayerError, suggestion


@dataclass(frozen=True)
class Traced:
    """The traced network and the name of each of its nodes, in order of execution."""

    graph: fx.GraphModule
    names: dict[fx.Node, str]

    def node(self, layer: str) -> fx.Node:
        """The node of a layer: the one of that name, or the last one inside the module so named.

        `features.9` and `inception4c` mean the outputs of those blocks, as in torchvision's
        `create_feature_extractor`. LayerError, naming the nearest, where there is none.
        """
        found = None
        for node, name in self.names.items():
            if name == layer:
                return node
            if name.startswith(layer + "."):
                found = node
        if found is None:
            raise LayerError(f"layer {layer}: no such layer; {suggestion(layer, self.known())}")
        return found

    def known(self) -> list[str]:
        """Every name that `node` takes: nodes, and the modules around them."""
        names = list(self.names.values())
        blocks = {".".join(name.split(".")[:end]) for name in names for end in range(1, 9)}
        return sorted(blocks | set(names))


def trace(network: torch.nn.Module) -> Traced:
    """Trace a network in evaluation mode, down to its smallest modules and functions.

    torchvision's own feature extraction keeps the modules of `torchvision.ops` whole; here they are
    opened, so that batch norm inside them can be folded. Their names still work, as blocks.
    """
    tracer = NodePathTracer(autowrap_modules=(math, torchvision.ops))
    graph = tracer.trace(network)
    module = fx.GraphModule(tracer.root, graph)
    originals = zip(graph.nodes, module.graph.nodes, strict=True)
    names = {
        copy: tracer.node_to_qualname[original]
        for original, copy in originals
        if original in tracer.node_to_qualname and original.op not in ("placeholder", "output")
    }
    return Traced(module, names)


def module_of(graph: fx.GraphModule, node: fx.Node) -> nn.Module | None:
    """The module that a node calls, or None where it does something else."""
    return graph.get_submodule(str(node.target)) if node.op == "call_module" else None


def operation(graph: fx.GraphModule, node: fx.Node) -> str:
    """The name of what a node calls: a module's class, a function, or a method."""
    if (module := module_of(graph, node)) is not None:
        return type(module).__name__
    return str(getattr(node.target, "__name__", node.target))


def is_relu(graph: fx.GraphModule, node: fx.Node) -> bool:
    """Whether a node rectifies, by a module or a function."""
    if node.op == "call_function":
        return node.target in (torch.relu, nn.functional.relu)
    return isinstance(module_of(graph, node), nn.ReLU)
