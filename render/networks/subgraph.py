"""Reduces a traced network to the layers that are needed, and optimises it for dreaming."""

from dataclasses import replace

import torch
from torch import fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from render.networks.builtin import LOGITS
from render.networks.convolution import FixedConv2d, FixedLinear, can_fix
from render.networks.graph import TracedNetwork, is_relu, module_of, operation_name
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
    return replace(traced, names={n: name for n, name in traced.names.items() if n in kept})


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


def fix_convolutions(module: fx.GraphModule) -> None:
    """Replace convolutions and linear layers by ones whose bits ignore the number of cores.

    A ReLU that only follows a convolution is computed with it. The layers must have their final
    device and dtype.
    """
    for node in list(module.graph.nodes):
        part = module_of(module, node)
        if isinstance(part, nn.Conv2d) and can_fix(part):
            relu = _only_relu_after(node)
            _replace_with(module, relu or node, FixedConv2d(part, relu=relu is not None), node)
        elif isinstance(part, nn.Linear):
            _replace_with(module, node, FixedLinear(part), node)
    module.delete_all_unused_submodules()
    module.recompile()


def _only_relu_after(node: fx.Node) -> fx.Node | None:
    """The in-place ReLU that is the only reader of a node; None if there is none."""
    (user, *others) = node.users
    return None if others or user.target is not torch.relu_ else user


def _replace_with(module: fx.GraphModule, last: fx.Node, layer: nn.Module, first: fx.Node) -> None:
    """Call `layer` on the input of `first`, in place of the nodes from `first` to `last`."""
    name = f"fixed_{first.name}"
    module.add_submodule(name, layer)
    with module.graph.inserting_before(first):
        found = module.graph.call_module(name, (first.args[0],))
    last.replace_all_uses_with(found)
    module.graph.erase_node(last)
    if first is not last:
        module.graph.erase_node(first)


def cast_inputs(module: fx.GraphModule, dtype: torch.dtype) -> None:
    """Give convolutions and linear layers inputs of a narrow dtype, and layer norms float32.

    Only networks with layer norms or tensors beside their layers need it. Layer norms refuse mixed
    dtypes, and the results of both are wide.
    """
    names = {node: operation_name(module, node) for node in module.graph.nodes}
    has_tensors = any(node.op == "get_attr" for node in names)
    if not has_tensors and not {"layer_norm", "LayerNorm"} & set(names.values()):
        return
    for node, name in names.items():
        wide = name in ("layer_norm", "LayerNorm")
        if wide or isinstance(module_of(module, node), nn.Conv2d | nn.Linear):
            with module.graph.inserting_before(node):
                target = torch.float32 if wide else dtype
                cast = module.graph.call_method("to", (node.args[0], target))
            node.replace_input_with(node.all_input_nodes[0], cast)
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
