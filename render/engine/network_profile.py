"""What a plan must know of a network; torch is loaded only to find it out the first time.

A plan needs a network's stride, field and cost, and must refuse weights that do not fit. All of it
follows from the architecture, the file's digest and the software, so it is remembered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from dataclasses import field as dataclass_field
from pathlib import Path
from typing import Any

from render.dream.objective import Mix, Objective
from render.engine.memory import Cost
from render.errors import LayerError
from render.geometry.units import UnitGrid
from render.networks.builtin import LOGITS
from render.networks.disk_cache import cached_on_disk


@dataclass(frozen=True)
class NetworkProfile:
    """A mix of objectives on a network, sized up: `stride` and `field` in pixels, `cost`.

    `units`: of each layer that the mix looks at.
    """

    stride: int
    field: int
    cost: Cost
    units: Mapping[str, UnitGrid] = dataclass_field(default_factory=dict)


def profile_network(network: str, mix: Mix, dtype: str) -> NetworkProfile:
    """Size up a mix on a network that computes in `dtype` (float32, float64 or bfloat16).

    NetworkError or LayerError where the network, a layer or a channel does not exist, or where a
    layer has no exact tiles.
    """
    layers = list(mix.layers)
    terms = [[one.target_layer, one.guide is not None] for one in mix]
    question = {"network": network, "terms": terms, "dtype": dtype}

    def find_out() -> dict[str, Any]:
        import torch

        from render.engine.cost_model import window_cost
        from render.networks.catalogue import build_network
        from render.networks.receptive_field import layer_grid

        grid = layer_grid(build_network(network), network, tuple(layers))
        # Before the cost is counted by running the mix, and below for an answer from the cache.
        _check_channels(network, mix, dict(zip(layers, grid.channels, strict=True)))
        cost = window_cost(network, mix, getattr(torch, dtype), grid)
        return asdict(grid) | {"cost": asdict(cost)}

    answer = cached_on_disk("survey", question, find_out)
    _check_channels(network, mix, dict(zip(layers, answer["channels"], strict=True)))
    units = [UnitGrid(**one) for one in answer["units"]]
    return NetworkProfile(
        answer["stride"],
        answer["field"],
        Cost(**answer["cost"]),
        dict(zip(layers, units, strict=True)),
    )


def _check_channels(network: str, mix: Mix, channels: dict[str, int]) -> None:
    for objective in mix:
        highest = max(objective.target_channels or (0,))
        count = channels[objective.target_layer]
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
    """WeightsError, naming the tensors, where a weights file of this digest does not fit."""

    def find_out() -> dict[str, Any]:
        from render.networks.weights import load_with_weights

        load_with_weights(network, path)
        return {"fits": True}

    cached_on_disk("fit", {"network": network, "digest": digest}, find_out)


def list_layers(network: str) -> Sequence[dict[str, Any]]:
    """Every layer as `name`, `channels`, `stride`, `field`, `halo`, `reason`, in order."""

    def find_out() -> dict[str, Any]:
        from render.networks.receptive_field import layer_table

        return {
            "layers": [
                {"name": name, **asdict(seen), "halo": max(0, seen.field - 1)}
                for name, seen in layer_table(network).items()
            ]
        }

    table: Sequence[dict[str, Any]] = cached_on_disk("layers", {"network": network}, find_out)[
        "layers"
    ]
    return table


# Channel n of pareidolia's class map is its class n: eyes, fish, daisies, roses, lilies,
# sunflowers, birds and tulips go together; faces or mushrooms would take the whole picture.
_MOTIFS = (0, 5, 9, 10, 11, 12, 46, 62)


_CHOSEN = {
    "pareidolia": Objective("classes.relu", _MOTIFS),
    "squeezenet1_0": Objective("features.12"),
    "squeezenet1_1": Objective("features.12"),
    "googlenet": Objective("inception4c"),
    "vgg16": Objective("features.22"),
    "vgg19": Objective("features.25"),
    "inception_v3": Objective("Mixed_5d"),
}
"""Middle layers, where there are motifs but not yet whole things."""


_WIDEST = 200  # pixels of receptive field: beyond, halos cost more than they show


def default_objective(network: str) -> Objective:
    """The chosen one, or else the deepest layer with exact tiles and a field of at most 200 pixels.

    NetworkError where there is no such network.
    """
    if network in _CHOSEN:
        return _CHOSEN[network]
    fitting = [
        str(layer["name"])
        for layer in list_layers(network)
        if not layer["reason"] and layer["field"] <= _WIDEST
    ]
    return Objective(fitting[-1])
