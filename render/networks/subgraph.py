"""Reduces a traced network to the layers that are needed, and optimises it for dreaming."""

import torch
from torch import fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from render.networks.builtin import LOGITS
from render.networks.graph import TracedNetwork, is_relu, module_of
from render.networks.head import with_logits
from render.networks.maxpool import DeterministicMaxPool2d

_OTHER_IN_PLACE_MODULES = (nn.ReLU6, nn.SiLU, nn.Hardswish, nn.Hardsigmoid)


def extract_subgraph(
    traced: TracedNetwork, layers: tuple[str, ...], network: str = ""
) -> TracedNetwork:
    """Return the part of the network that the layers need. It outputs a tuple of their values.

    network: its name, for messages.

    Changes the traced graph in place. Raises LayerError if there is no such layer, or if the
    layers include the classes (LOGITS) and the head cannot be applied at every position.
    """
    if LOGITS in layers:
        traced = with_logits(traced)
    graph = traced.graph.graph
    ends = tuple(traced.node(layer, network) for layer in layers)
    (old,) = (node for node in graph.nodes if node.op == "output")
    graph.erase_node(old)
    graph.output(ends)
    for node in reversed(graph.nodes):
        if not node.users and node.op not in ("output", "placeholder"):
            graph.erase_node(node)
    traced.graph.delete_all_unused_submodules()
    traced.graph.recompile()
    kept = set(graph.nodes)
    return TracedNetwork(traced.graph, {n: name for n, name in traced.names.items() if n in kept})


def fold_batch_norm(module: fx.GraphModule) -> None:
    """Fold each batch norm into the preceding convolution if nothing else reads the convolution.

    A convolution whose output is an objective's layer is not folded.
    """
    for node in list(module.graph.nodes):
        source = node.args[0] if node.args else None
        if (
            isinstance(norm := module_of(module, node), nn.BatchNorm2d)
            and isinstance(source, fx.Node)
            and isinstance(convolution := module_of(module, source), nn.Conv2d)
            and len(source.users) == 1
            and sum(other.target == source.target for other in module.graph.nodes) == 1
        ):
            module.set_submodule(str(source.target), fuse_conv_bn_eval(convolution, norm))
            node.replace_all_uses_with(source)
            module.graph.erase_node(node)
    module.delete_all_unused_submodules()
    module.recompile()


def make_relu_in_place(module: fx.GraphModule) -> None:
    """Make each ReLU in-place if nothing else reads its input; this saves memory traffic.

    Disables in-place operation everywhere else: torchvision enables it, but an objective may read
    the preceding layer.
    """
    for node in module.graph.nodes:
        if isinstance(other := module_of(module, node), _OTHER_IN_PLACE_MODULES):
            other.inplace = False
        if not is_relu(module, node):
            continue
        (source,) = node.all_input_nodes
        alone = len(source.users) == 1 and _may_be_overwritten(module, source)
        with module.graph.inserting_before(node):
            plain = module.graph.call_function(torch.relu_ if alone else torch.relu, args=(source,))
        node.replace_all_uses_with(plain)
        module.graph.erase_node(node)
    module.delete_all_unused_submodules()
    module.recompile()


def make_pools_deterministic(module: fx.GraphModule) -> None:
    """Replace torch's max-pools by ones with a deterministic gradient on CUDA."""
    for node in module.graph.nodes:
        pool = module_of(module, node)
        if isinstance(pool, nn.MaxPool2d) and pool.dilation in (1, (1, 1)):
            replacement = DeterministicMaxPool2d(
                _pair(pool.kernel_size), _pair(pool.stride), _pair(pool.padding), pool.ceil_mode
            )
        elif node.op == "call_function" and node.target is torch.nn.functional.max_pool2d:
            kernel = node.kwargs.get("kernel_size", node.args[1] if len(node.args) > 1 else 1)
            stride = node.kwargs.get("stride", node.args[2] if len(node.args) > 2 else None)
            padding = node.kwargs.get("padding", node.args[3] if len(node.args) > 3 else 0)
            ceil_mode = bool(node.kwargs.get("ceil_mode", False))
            replacement = DeterministicMaxPool2d(
                _pair(kernel), _pair(stride or kernel), _pair(padding), ceil_mode
            )
        else:
            continue
        name = f"repeatable_{node.name}"
        module.add_submodule(name, replacement)
        with module.graph.inserting_before(node):
            pooled = module.graph.call_module(name, (node.all_input_nodes[0],))
        node.replace_all_uses_with(pooled)
        module.graph.erase_node(node)
    module.recompile()


def _may_be_overwritten(module: fx.GraphModule, node: fx.Node) -> bool:
    """Whether an operation's gradient does not need its output, and the output is not a view."""
    if node.op == "call_module":
        return isinstance(module_of(module, node), nn.Conv2d | nn.BatchNorm2d)
    return getattr(node.target, "__name__", "") in ("cat", "add")


def _pair(value: object) -> tuple[int, int]:
    if isinstance(value, tuple):
        return value[0], value[1]
    if isinstance(value, int):
        return value, value
    raise TypeError(f"a pool's size is one or two whole numbers, not {value!r}")
