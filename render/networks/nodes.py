"""What a node of a traced network is."""

import torch
from torch import fx, nn


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
