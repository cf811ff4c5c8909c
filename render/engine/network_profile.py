"""What a plan must know about a network: stride, receptive field, cost, and whether weights fit.

All of it follows from the architecture, the weights file's digest and the software. So it is cached
on disk, and torch is loaded only for the first measurement.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from dataclasses import field as dataclass_field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from render.dream.objective import Mix, Objective
from render.engine.memory import Cost
from render.errors import LayerError
from render.geometry.units import UnitGrid
from render.networks.architecture import Architecture, named_network
from render.networks.builtin import LOGITS, PAREIDOLIA
from render.networks.disk_cache import cached_on_disk, read_cached

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class NetworkProfile:
    """What was measured of a network for the layers of one mix.

    stride, field: over all layers of the mix, in pixels.
    cost: of a window.
    units: the unit grid of each layer of the mix.
    """

    stride: int
    field: int
    cost: Cost
    units: Mapping[str, UnitGrid] = dataclass_field(default_factory=dict)


def profile_network(network: str | Architecture, mix: Mix, dtype: str) -> NetworkProfile:
    """Profile a mix on a network that computes in `dtype` (float32, float64 or bfloat16).

    A name means the network with its usual number of classes; the path of an ONNX file is one too.
    The answer is cached on disk. Raises NetworkError or LayerError if the network, a layer or a
    channel does not exist, or if a layer has no exact tiles.
    """
    architecture = _architecture(network)
    objectives = [[one.target_layer, one.guide is not None] for one in mix]
    question = {**architecture.cache_key(), "objectives": objectives, "dtype": dtype}

    def measure() -> dict[str, Any]:
        return _measure(architecture.build(), architecture.label, mix, dtype)

    measured = cached_on_disk("profile", question, measure)
    # The cache key has no channels, so a cached answer has not checked these.
    _check_channels(architecture.label, mix, measured["channels"])
    return _profile(mix, measured)


def _architecture(network: str | Architecture) -> Architecture:
    return named_network(network) if isinstance(network, str) else network


def profile_module(module: "nn.Module", name: str, mix: Mix, dtype: str) -> NetworkProfile:
    """The same for any module, without a cache.

    Parameters may be on the meta device, and move there. `name` is for messages.
    """
    return _profile(mix, _measure(module, name, mix, dtype))


def _measure(module: "nn.Module", name: str, mix: Mix, dtype: str) -> dict[str, Any]:
    """The fields of the mix's LayerGrid, and the cost, as JSON can hold them."""
    import torch

    from render.engine.cost_model import window_cost
    from render.networks.receptive_field import layer_grid

    grid = layer_grid(module, name, mix.layers)
    # Counting the cost runs the mix, so its channels must exist.
    _check_channels(name, mix, grid.channels)
    cost = window_cost(module, mix, getattr(torch, dtype), grid)
    return asdict(grid) | {"cost": asdict(cost)}


def _profile(mix: Mix, measured: Mapping[str, Any]) -> NetworkProfile:
    units = [UnitGrid(**one) for one in measured["units"]]
    return NetworkProfile(
        measured["stride"],
        measured["field"],
        Cost(**measured["cost"]),
        dict(zip(mix.layers, units, strict=True)),
    )


def _check_channels(network: str, mix: Mix, channels: Sequence[int]) -> None:
    """Raise LayerError if a channel does not exist. `channels` are the counts of each layer."""
    counts = dict(zip(mix.layers, channels, strict=True))
    for objective in mix:
        highest = max(objective.target_channels or (0,))
        count = counts[objective.target_layer]
        if highest >= count:
            what, of = (
                ("class", "")
                if objective.target_layer == LOGITS
                else ("channel", objective.target_layer)
            )
            raise LayerError(
                f"{what} {highest} of {f'layer {of} of ' if of else ''}{network}: "
                f"no such {what}; it has {count}, from 0 to {count - 1}"
            )


def check_weights(network: str, path: Path, digest: str) -> None:
    """Raise WeightsError if a weights file does not fit a network.

    The answer is cached by the file's digest.
    """

    def check() -> dict[str, Any]:
        from render.networks.weights import load_with_weights

        load_with_weights(network, path)
        return {"fits": True}

    cached_on_disk("fit", {"network": network, "digest": digest}, check)


def list_layers(network: str | Architecture) -> Sequence[dict[str, Any]]:
    """The layers of a network, in order: the fields of ReceptiveField, `name` and `halo`.

    A text is a name or the path of an ONNX file. The answer is cached on disk. Raises NetworkError
    if the network is not known.
    """
    architecture = _architecture(network)

    def measure() -> dict[str, Any]:
        from render.networks.graph import trace
        from render.networks.receptive_field import receptive_fields

        return {
            "layers": [
                {"name": name, **asdict(field), "halo": max(0, field.field - 1)}
                for name, field in receptive_fields(trace(architecture.build())).items()
            ]
        }

    found = cached_on_disk("layers", architecture.cache_key(), measure)
    table: Sequence[dict[str, Any]] = found["layers"]
    return table


def known_layers(network: str) -> list[str]:
    """The names of a network's layers, if `list_layers` has found them on this machine before.

    Reads at most a file. Raises NetworkError if an ONNX file is unreadable.
    """
    found = read_cached("layers", _architecture(network).cache_key())
    return [] if found is None else [str(layer["name"]) for layer in found["layers"]]


# Channel n of pareidolia's class map is its class n. Eyes, fish, flowers of five kinds and birds go
# well together; faces or mushrooms would fill the whole picture.
_MOTIFS = (0, 5, 9, 10, 11, 12, 46, 62)


_DEFAULTS = {
    "pareidolia": Objective("classes.relu", _MOTIFS),
    "squeezenet1_0": Objective("features.12"),
    "squeezenet1_1": Objective("features.12"),
    "googlenet": Objective("inception4c"),
    "bvlc_googlenet": Objective("inception_4c/output"),
    "googlenet_places205": Objective("inception_4c/output"),
    "googlenet_places365": Objective("inception_4c/output"),
    "inception5h": Objective("mixed4c"),
    "vgg16": Objective("features.22"),
    "vgg19": Objective("features.25"),
    "inception_v3": Objective("Mixed_5d"),
}
"""Middle layers, which respond to motifs but not yet to whole objects."""


_MAX_FIELD = 200  # pixels; wider fields make expensive halos and add little


def default_objective(network: str | Architecture) -> Objective:
    """The objective of a network if the user names none.

    Some networks have one chosen by eye. For others it is the deepest layer with exact tiles and a
    receptive field of at most 200 pixels. Raises NetworkError if the network is not known, and
    LayerError if it has no such layer.
    """
    architecture = _architecture(network)
    if architecture.name == PAREIDOLIA and architecture.classes is not None:
        return Objective("classes.relu")  # the channels above are motifs of other weights
    if architecture.name in _DEFAULTS:
        return _DEFAULTS[architecture.name]
    fitting = [
        str(layer["name"])
        for layer in list_layers(replace(architecture, classes=None))
        if not layer["reason"] and layer["field"] <= _MAX_FIELD
    ]
    if not fitting:
        raise LayerError(
            f"network {architecture.label}: has no layer for a start; name one: "
            f"`dreamfarm layers {architecture.argument}` lists those there are"
        )
    return Objective(fitting[-1])
