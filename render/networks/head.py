"""Makes a classifier's head convolutional, so that its classes can be tiled.

A classifier averages its features over the picture and passes the mean to a few linear layers.
Each linear layer becomes a 1 x 1 convolution here (Lin et al., "Network in Network", 2014). The
mean of its output over all positions equals the original score, because linear layers commute with
the mean.

If the first linear layer reads a grid of k x k features (AlexNet, VGG), it becomes a k x k
convolution (Sermanet et al., "OverFeat", 2014; Long et al., "Fully Convolutional Networks for
Semantic Segmentation", CVPR 2015). If the head has a nonlinear layer, the score at a position is
the score of a picture with the same features everywhere.
"""

from dataclasses import replace
from typing import Any

from torch import fx, nn

from render.errors import LayerError
from render.networks.builtin import LOGITS
from render.networks.graph import TracedNetwork, is_relu, module_of, operation_name
from render.networks.position_trace import POINTWISE_MODULES

_GLOBAL_POOLS = {"AdaptiveAvgPool2d", "adaptive_avg_pool2d", "mean"}
_IDENTITIES = {"Dropout", "dropout", "Identity"}  # in evaluation mode
_FLATTENS = {"Flatten", "flatten"}
_POINTWISE = {"relu", "hardswish", "silu", "gelu", "tanh"}
_ACROSS_CHANNELS = {"permute", "layer_norm"}  # only before the flattening


def with_logits(traced: TracedNetwork) -> TracedNetwork:
    """Add the layer LOGITS: class scores at each position, (N, classes, h, w).

    Changes the traced graph in place. The new layers share the parameters of the old head.
    Raises LayerError if the head has an operation that cannot be applied to one position.
    """
    module, graph = traced.graph, traced.graph.graph
    (end,) = (node for node in graph.nodes if node.op == "output")
    pool, after = _split_head(traced, end.args[0])
    with graph.inserting_before(end):
        classes = _apply_per_position(traced, pool, after)
        module.add_submodule(LOGITS, nn.Identity())
        logits = graph.call_module(LOGITS, (classes,))
    return replace(traced, names={**traced.names, logits: LOGITS})


def _split_head(traced: TracedNetwork, last: object) -> tuple[fx.Node, list[fx.Node]]:
    """Return the global pool, and the nodes after it in order of execution."""
    after: list[fx.Node] = []
    while isinstance(last, fx.Node) and operation_name(traced.graph, last) not in _GLOBAL_POOLS:
        if not _is_supported(traced.graph, last):
            raise _unsupported_head(
                f"{_layer_name(traced, last)} ({operation_name(traced.graph, last)}) is in it"
            )
        after.append(last)
        last = last.args[0]
    if not isinstance(last, fx.Node):
        raise _unsupported_head("it does not average over the picture")
    return last, after[::-1]


def _is_supported(graph: fx.GraphModule, node: fx.Node) -> bool:
    """Whether a node is an operation that a convolutional head can have."""
    known = _IDENTITIES | _FLATTENS | _POINTWISE | _ACROSS_CHANNELS | {"Linear"}
    return operation_name(graph, node) in known or isinstance(
        module_of(graph, node), POINTWISE_MODULES
    )


def _apply_per_position(traced: TracedNetwork, pool: fx.Node, after: list[fx.Node]) -> fx.Node:
    """Copy the head's nodes so that they read every position of the pool's input."""
    module, graph = traced.graph, traced.graph.graph
    here = pool.all_input_nodes[0]
    side, flat = _pool_size(module, pool), operation_name(module, pool) == "mean"
    linear = 0
    for node in after:
        what = operation_name(module, node)
        if what in _IDENTITIES:
            continue
        if what in _FLATTENS:
            flat = True
        elif isinstance(layer := module_of(module, node), nn.Linear):
            name = f"{LOGITS}_{linear}"
            module.add_submodule(name, _as_convolution(layer, side))
            here = graph.call_module(name, (here,))
            side, linear = (1, 1), linear + 1
        elif flat and what in _ACROSS_CHANNELS:
            raise _unsupported_head(
                f"{_layer_name(traced, node)} ({what}) is behind its flattening"
            )
        else:
            here = _copy_node(graph, node, here)
    if linear:
        return here
    # Without a linear layer the network averages class maps. A ReLU on them would give no gradient
    # to a class that no position shows yet, so the maps before the ReLU are used.
    while is_relu(module, here):
        (here,) = here.all_input_nodes
    return here


def _copy_node(graph: fx.Graph, node: fx.Node, here: fx.Node) -> fx.Node:
    """Copy a node with another input and the same parameters."""
    before = node.args[0]
    return graph.node_copy(node, lambda old: here if old is before else old)


def _pool_size(graph: fx.GraphModule, pool: fx.Node) -> tuple[int, int]:
    """Rows and columns of a pool's output."""
    if operation_name(graph, pool) == "mean":
        return 1, 1
    layer = module_of(graph, pool)
    size: Any = pool.args[1] if layer is None else layer.output_size
    return (size, size) if isinstance(size, int) else (size[0], size[1])


def _as_convolution(linear: nn.Linear, side: tuple[int, int]) -> nn.Conv2d:
    """Return the convolution that applies a linear layer to every window of `side` features."""
    channels = linear.in_features // (side[0] * side[1])
    convolution = nn.Conv2d(channels, linear.out_features, side, device="meta")
    convolution.weight = nn.Parameter(
        linear.weight.detach().view(linear.out_features, channels, *side)
    )
    convolution.bias = None if linear.bias is None else nn.Parameter(linear.bias.detach())
    return convolution


def _layer_name(traced: TracedNetwork, node: fx.Node) -> str:
    return traced.names.get(node, node.name)


def _unsupported_head(error: str) -> LayerError:
    return LayerError(
        f"class: the network's head cannot be applied position by position, because {error}; "
        "name a layer, or channels of one, instead"
    )
