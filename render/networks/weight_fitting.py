"""Fits the tensors of a file to a network: other names, another number of classes, no head.

What does not fit is named, with the expected and the found shape.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import torch
from torch import nn

from render.errors import WeightsError
from render.networks.builtin import NETWORKS_OF_2015
from render.networks.caffe_layers import layer_parameters
from render.networks.catalogue import build_network
from render.networks.normalisation import CAFFE_VGG

Tensors = dict[str, torch.Tensor]

_MAX_LISTED = 4  # tensors in a message

# Heads that are used in training only, by the names of torchvision, Caffe and TensorFlow.
_AUXILIARY_PREFIXES = (
    *("aux1.", "aux2.", "AuxLogits.", "loss1/", "loss2/", "loss1_", "loss2_"),
    *("head0_", "head1_", "nn0_", "nn1_", "softmax0_", "softmax1_"),
)

# torchvision's DenseNet files use module names from before 2018, which its builder renames.
_OLD_DENSENET_NAME = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.(\d)\.")

_COUNTERS = "num_batches_tracked"  # counters of batch norm; files before 2018 lack them

_WITHOUT_DROPOUT = {"classifier.0": "classifier.1", "classifier.3": "classifier.4"}
"""Layers of torchvision's VGG, and their names in justincj's conversions of Caffe's."""


def build_fitting(
    network: str, path: Path, tensors: Tensors
) -> tuple[nn.Module, Tensors, str | None]:
    """Build the network that a file's tensors fit, without values.

    Returns the module, its tensors by its own names in float32 (float64 is kept), and the input
    convention that the names tell, if any. Raises WeightsError if a tensor does not fit.
    """
    named, convention = _renamed(network, tensors)
    named = {n: v for n, v in named.items() if not n.startswith(_AUXILIARY_PREFIXES)}
    head = _head_tensors(network)
    classes = _class_count(head, named)
    module = build_network(network, classes=classes)
    expected = module.state_dict()
    absent = _absent_head(module, head, expected, named)
    surplus = {n for n in named if _component(n) in absent}
    named = {n: v for n, v in named.items() if n not in surplus}
    _check(network, path, {n: v for n, v in expected.items() if _component(n) not in absent}, named)
    return module, {n: _widened(v) for n, v in named.items() if n in expected}, convention


def class_count(network: str, tensors: Tensors) -> int:
    """Return the number of classes of a file's head, or 0 if the file has no head that fits.

    Raises NetworkError if the network is not known.
    """
    named, _ = _renamed(network, tensors)
    return _class_count(_head_tensors(network), named) or 0


@cache
def _head_tensors(network: str) -> Mapping[str, int]:
    """The tensors whose shape follows from the number of classes, and the dimension that does."""
    two, three = (build_network(network, classes=count).state_dict() for count in (2, 3))

    def differing(name: str) -> int:
        pairs = zip(two[name].shape, three[name].shape, strict=True)
        return next(index for index, (a, b) in enumerate(pairs) if a != b)

    return {name: differing(name) for name in three if two[name].shape != three[name].shape}


def _class_count(head: Mapping[str, int], named: Tensors) -> int | None:
    """The number of classes of the file; None if its tensors do not agree on one."""
    counts = {
        named[name].shape[dimension]
        for name, dimension in head.items()
        if name in named and named[name].dim() > dimension
    }
    return counts.pop() if len(counts) == 1 and min(counts) > 0 else None


def _absent_head(
    module: nn.Module, head: Mapping[str, int], expected: Tensors, named: Tensors
) -> set[str]:
    """The parts of the network that belong to its head, if the file has no head that fits."""
    parts = {_component(name) for name in head} | set(getattr(module, "head_layers", ()))
    last = {name for name in expected if _component(name) in {_component(one) for one in head}}
    return set() if last & named.keys() else parts


def _component(name: str) -> str:
    return name.partition(".")[0]


def _check(network: str, path: Path, expected: Tensors, given: Tensors) -> None:
    problems = list(_mismatches(expected, given))
    if problems:
        more = len(problems) - _MAX_LISTED
        listed = "; ".join(problems[:_MAX_LISTED]) + (f"; and {more} more" if more > 0 else "")
        raise WeightsError(
            f"weights {path}: do not fit {network}: {listed}; "
            "name the network they were trained for"
        )


def _mismatches(expected: Tensors, given: Tensors) -> Iterator[str]:
    for name in expected:
        if name not in given and not name.endswith(_COUNTERS):
            yield f"{name} is missing"
    for name, value in expected.items():
        if name in given and given[name].shape != value.shape:
            yield f"{name} is {_shape(given[name])}, not {_shape(value)}"
    for name in given:
        if name not in expected:
            yield f"{name} is not in the network"


def _shape(tensor: torch.Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "a number"


def _widened(tensor: torch.Tensor) -> torch.Tensor:
    """float16 and bfloat16 as float32."""
    narrow = tensor.is_floating_point() and tensor.element_size() < torch.float32.itemsize
    return tensor.float() if narrow else tensor


def _renamed(network: str, tensors: Tensors) -> tuple[Tensors, str | None]:
    """The tensors by the network's own names, and the input convention that their names tell."""
    if network.startswith("densenet"):
        return {_OLD_DENSENET_NAME.sub(r"\1\2.", n): v for n, v in tensors.items()}, None
    if network in NETWORKS_OF_2015:
        return _with_names(tensors, _names_of_2015(network)), None
    if network.startswith("vgg"):
        found = _with_names(tensors, _caffe_names_of_vgg(network))
        return found, None if found.keys() == tensors.keys() else CAFFE_VGG
    return tensors, None


def _with_names(tensors: Tensors, others: Mapping[str, tuple[str, ...]]) -> Tensors:
    """Rename each tensor that has one of the other names of a parameter."""
    own = {other: name for name, all_others in others.items() for other in all_others}
    return {name if name in others else own.get(name, name): v for name, v in tensors.items()}


def _names_of_2015(network: str) -> dict[str, tuple[str, ...]]:
    """For each parameter its names in Caffe, TensorFlow, and conversions to PyTorch."""
    names: dict[str, tuple[str, ...]] = {}
    for name, layer, kind in layer_parameters(build_network(network)):
        flat = layer.replace("/", "_")
        names[name] = (
            f"{layer}.{kind}",
            f"{flat}.{kind}",
            f"{flat}_1.{kind}",
            f"{flat}_pre_relu_conv.{kind}",
            f"{flat}_pre_activation_matmul.{kind}",
            f"{flat}_{kind[0]}",
        )
    return names


def _caffe_names_of_vgg(network: str) -> dict[str, tuple[str, ...]]:
    """For each parameter its name in Caffe's VGG, such as `conv1_2.weight` or `fc6.bias`."""
    module, block, index = build_network(network), 1, 0
    layers = {"classifier.0": "fc6", "classifier.3": "fc7", "classifier.6": "fc8"}
    for name, layer in module.named_modules():
        if isinstance(layer, nn.MaxPool2d):
            block, index = block + 1, 0
        elif isinstance(layer, nn.Conv2d):
            index += 1
            layers[name] = f"conv{block}_{index}"
    return {
        f"{name}.{kind}": (
            f"{other}.{kind}",
            *([f"{_WITHOUT_DROPOUT[name]}.{kind}"] if name in _WITHOUT_DROPOUT else []),
        )
        for name, other in layers.items()
        for kind in ("weight", "bias")
    }
