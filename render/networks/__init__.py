"""Image classification networks: built, checked and prepared for dreams.

`__all__` is the public surface. Importing the package does not load torch.

- builtin: names and weights of the networks that come with the project (pareidolia, lenet5)
- catalogue: all network names, and architectures without weights
- pareidolia, lenet5: the architectures of the built-in networks
- inception_v1, caffenet, caffe_layers: networks of 2015, with their layer names
- normalisation: the input that a network expects, and its conversion
- weight_paths, weights: find, check and load weights files
- safetensors_header, shards, checkpoint, caffemodel, tensorflow_graph: kinds of files
- protobuf_wire: reads protobuf messages without their schema
- weight_fitting: fits the tensors of a file to a network
- architecture: a network of the catalogue, or of an ONNX file
- onnx_file, onnx_graph: open and read ONNX files; onnx_network: translates them to torch
- onnx_builder, onnx_constants, onnx_layers: what the translation builds, computes and adds
- onnx_windows, onnx_pointwise, onnx_axes: the operators
- classes: names of a network's classes
- graph, subgraph, head, maxpool: trace a network, reduce and optimise it, make its head tile
- network: a network that is ready for dreaming
- position_trace, receptive_field, exactness: which layers have exact tiles, and how wide a halo
- disk_cache: results of slow computations
"""

import importlib
from typing import TYPE_CHECKING

from render.networks.builtin import (
    BUILTIN_NETWORKS,
    LENET5,
    LOGITS,
    PAREIDOLIA,
    PRETRAINED,
    builtin_weights,
    uses_builtin_weights,
)

if TYPE_CHECKING:
    from render.networks.catalogue import build_network, check_network_name, network_names
    from render.networks.classes import class_index, class_names
    from render.networks.disk_cache import cached_on_disk
    from render.networks.exactness import Exactness, network_exactness
    from render.networks.network import Network, load_network, prepare_network
    from render.networks.receptive_field import LayerGrid, ReceptiveField, layer_grid, layer_table
    from render.networks.weight_paths import SAFETENSORS_SUFFIX, downloaded_weights, resolve_weights
    from render.networks.weights import convert_to_safetensors, load_with_weights, read_weights
    from render.networks.weights_metadata import WeightsMetadata, read_metadata

__all__ = [
    "BUILTIN_NETWORKS",
    "LENET5",
    "LOGITS",
    "PAREIDOLIA",
    "PRETRAINED",
    "SAFETENSORS_SUFFIX",
    "Exactness",
    "LayerGrid",
    "Network",
    "ReceptiveField",
    "WeightsMetadata",
    "build_network",
    "builtin_weights",
    "cached_on_disk",
    "check_network_name",
    "class_index",
    "class_names",
    "convert_to_safetensors",
    "downloaded_weights",
    "layer_grid",
    "layer_table",
    "load_network",
    "load_with_weights",
    "network_exactness",
    "network_names",
    "prepare_network",
    "read_metadata",
    "read_weights",
    "resolve_weights",
    "uses_builtin_weights",
]

_LAZY = {
    "build_network": "catalogue",
    "check_network_name": "catalogue",
    "network_names": "catalogue",
    "class_index": "classes",
    "class_names": "classes",
    "cached_on_disk": "disk_cache",
    "Exactness": "exactness",
    "network_exactness": "exactness",
    "Network": "network",
    "load_network": "network",
    "prepare_network": "network",
    "LayerGrid": "receptive_field",
    "ReceptiveField": "receptive_field",
    "layer_grid": "receptive_field",
    "layer_table": "receptive_field",
    "WeightsMetadata": "weights_metadata",
    "read_metadata": "weights_metadata",
    "SAFETENSORS_SUFFIX": "weight_paths",
    "downloaded_weights": "weight_paths",
    "resolve_weights": "weight_paths",
    "convert_to_safetensors": "weights",
    "load_with_weights": "weights",
    "read_weights": "weights",
}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
