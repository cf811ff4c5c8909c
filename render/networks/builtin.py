"""The networks that come with the project, and where their weights are."""

from pathlib import Path

PAREIDOLIA = "pareidolia"

LENET5 = "lenet5"

BUILTIN_NETWORKS = (PAREIDOLIA, LENET5)
"""The weights of each are a .safetensors file of that name beside this module."""

NETWORKS_OF_2015 = {
    "bvlc_googlenet": 1000,
    "googlenet_places205": 205,
    "googlenet_places365": 365,
    "inception5h": 1008,
    "caffenet": 1000,
    "caffe_lenet": 10,
}
"""Networks of Caffe and TensorFlow, and their numbers of classes. Users have their weights."""

ONNX = "onnx"
"""The name of the network that an ONNX file has; the file stands in the place of its weights."""

ONNX_SUFFIX = ".onnx"

LOGITS = "logits"
"""The layer of any network's classes: its head, applied at every position (`networks.head`)."""

PRETRAINED = "pretrained"
"""As a weights setting: the weights that torchvision offers, or the built-in ones."""


def uses_builtin_weights(network: str, weights: str | Path | None) -> bool:
    """Whether this weights setting means the file that comes with the project."""
    return network in BUILTIN_NETWORKS and weights in (None, PRETRAINED)


def builtin_weights(network: str) -> Path:
    """Return the weights file of a built-in network."""
    return Path(__file__).with_name(f"{network}.safetensors")
