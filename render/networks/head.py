"""A network's head applied position by position, so that its classes tile.

A classifier averages its features over the picture and hands the mean to a few linear layers. The
mean of the last of these over positions is their value at the mean, so nothing is lost when each
linear layer becomes a convolution of 1 x 1 and looks at every position on its own (Lin et al.,
"Network in Network", 2014). Where the first one reads a grid of k x k features (AlexNet, VGG) it
becomes a convolution of k x k (Sermanet et al., "OverFeat", 2014; Long et al., "Fully Convolutional
Networks for Semantic Segmentation", CVPR 2015): the same network wherever its window fits. With
something that is not linear in between, a position's classes are those of a picture that looks
alike everywhere.
"""

from typing import Any

from torch import fx, nn

from render.errors import LayerError
from render.networks.builtin import LOGITS
from render.networks.graph import Traced, is_relu, module_of, operation
from render.networks.position_trace import POINTWISE_MODULES

_POOLS = {"AdaptiveAvgPool2d", "adaptive_avg_pool2d", "mean"}
_NOTHING = {"Dropout", "dropout", "Identity"}  # in evaluation mode
_FLATTENING = {"Flatten", "flatten"}
_POINTWISE = {"relu", "hardswish", "silu", "gelu", "tanh"}
_ACROSS_CHANNELS = {"permute", "layer_norm"}  # while rows and columns are still there


def with_logits(traced: Traced) -> Traced:
    """The network with one more layer, LOGITS: (N, classes, h, w), what each position would say.

    The traced graph is changed in place; parameters are shared with the old head, values or not.
    LayerError where the head has an operation that cannot be applied to a position.
    """
    module, graph = traced.graph, traced.graph.graph
    (end,) = (node for node in graph.nodes if node.op == "output")
    pool, after = _head(traced, end.args[0])
    with graph.inserting_before(end):
        classes = _spread(traced, pool, after)
        module.add_submodule(LOGITS, nn.Identity())
        logits = graph.call_module(LOGITS, (classes,))
    return Traced(module, {**traced.names, logits: LOGITS})


def _head(traced: Traced, last: object) -> tuple[fx.Node, list[fx.Node]]:
    """The pool over the whole picture, and what follows it, in order of execution."""
    after: list[fx.Node] = []
    while isinstance(last, fx.Node) and operation(traced.graph, last) not in _POOLS:
        if not _belongs(traced.graph, last):
            raise _refusal(f"{_name(traced, last)} ({operation(traced.graph, last)}) is in it")
        after.append(last)
        last = last.args[0]
    if not isinstance(last, fx.Node):
        raise _refusal("it does not average over the picture")
    return last, after[::-1]


def _belongs(graph: fx.GraphModule, node: fx.Node) -> bool:
    """Whether a node is one of those that a head may have."""
    known = _NOTHING | _FLATTENING | _POINTWISE | _ACROSS_CHANNELS | {"Linear"}
    return operation(graph, node) in known or isinstance(module_of(graph, node), POINTWISE_MODULES)


def _spread(traced: Traced, pool: fx.Node, after: list[fx.Node]) -> fx.Node:
    """The head's nodes once more, reading every position of what the pool reads."""
    module, graph = traced.graph, traced.graph.graph
    here = pool.all_input_nodes[0]
    side, flat = _side(module, pool), operation(module, pool) == "mean"
    linear = 0
    for node in after:
        what = operation(module, node)
        if what in _NOTHING:
            continue
        if what in _FLATTENING:
            flat = True
        elif isinstance(layer := module_of(module, node), nn.Linear):
            name = f"{LOGITS}_{linear}"
            module.add_submodule(name, _convolution(layer, side))
            here = graph.call_module(name, (here,))
            side, linear = (1, 1), linear + 1
        elif flat and what in _ACROSS_CHANNELS:
            raise _refusal(f"{_name(traced, node)} ({what}) is behind its flattening")
        else:
            here = _copy(graph, node, here)
    if linear:
        return here
    # Where classes are averaged, not features, a rectifier would leave a class that is not seen yet
    # without a gradient.
    while is_relu(module, here):
        (here,) = here.all_input_nodes
    return here


def _copy(graph: fx.Graph, node: fx.Node, here: fx.Node) -> fx.Node:
    """A node once more, with another input; parameters stay."""
    before = node.args[0]
    return graph.node_copy(node, lambda old: here if old is before else old)


def _side(graph: fx.GraphModule, pool: fx.Node) -> tuple[int, int]:
    """Rows and columns of what a pool gives."""
    if operation(graph, pool) == "mean":
        return 1, 1
    layer = module_of(graph, pool)
    size: Any = pool.args[1] if layer is None else layer.output_size
    return (size, size) if isinstance(size, int) else (size[0], size[1])


def _convolution(linear: nn.Linear, side: tuple[int, int]) -> nn.Conv2d:
    """The convolution that computes a linear layer on every window of `side` features."""
    channels = linear.in_features // (side[0] * side[1])
    convolution = nn.Conv2d(channels, linear.out_features, side, device="meta")
    convolution.weight = nn.Parameter(
        linear.weight.detach().view(linear.out_features, channels, *side)
    )
    convolution.bias = None if linear.bias is None else nn.Parameter(linear.bias.detach())
    return convolution


def _name(traced: Traced, node: fx.Node) -> str:
    return traced.names.get(node, node.name)


def _refusal(why: str) -> LayerError:
    return LayerError(
        f"class: the network's head cannot be applied position by position, because {why}; "
        "name a layer, or channels of one, instead"
    )
