"""What a plan must know of a network; torch is loaded only to find it out the first time.

A plan needs a network's stride, field and cost, and must refuse weights that do not fit. All of it
follows from the architecture, the file's digest and the software, so it is remembered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from dataclasses import field as dataclass_field
from pathlib import Path
from typing import Any

from render.cost import Cost
from render.errors import LayerError
from render.networks.memo import remembered
from render.objective import LOGITS, Mix
from render.units import Units


@dataclass(frozen=True)
class Survey:
    """A mix of objectives on a network, sized up: `stride` and `field` in pixels, `cost`.

    `units`: of each layer that the mix looks at.
    """

    stride: int
    field: int
    cost: Cost
    units: Mapping[str, Units] = dataclass_field(default_factory=dict)


def survey(network: str, mix: Mix, dtype: str) -> Survey:
    """Size up a mix on a network that computes in `dtype` (float32, float64 or bfloat16).

    NetworkError or LayerError where the network, a layer or a channel does not exist, or where a
    layer has no exact tiles.
    """
    layers = list(mix.layers)
    terms = [[one.seen, one.guide is not None] for one in mix]
    question = {"network": network, "terms": terms, "dtype": dtype}

    def find_out() -> dict[str, Any]:
        import torch

        from render.networks.catalogue import build
        from render.networks.layers import layer_grid
        from render.tally import window_cost

        grid = layer_grid(build(network), network, tuple(layers))
        # Before the cost is counted by running the mix, and below for an answer from the cache.
        _check_channels(network, mix, dict(zip(layers, grid.channels, strict=True)))
        cost = window_cost(network, mix, getattr(torch, dtype), grid)
        return asdict(grid) | {"cost": asdict(cost)}

    answer = remembered("survey", question, find_out)
    _check_channels(network, mix, dict(zip(layers, answer["channels"], strict=True)))
    units = [Units(**one) for one in answer["units"]]
    return Survey(
        answer["stride"],
        answer["field"],
        Cost(**answer["cost"]),
        dict(zip(layers, units, strict=True)),
    )


def _check_channels(network: str, mix: Mix, channels: dict[str, int]) -> None:
    for objective in mix:
        highest = max(objective.numbers or (0,))
        count = channels[objective.seen]
        if highest >= count:
            what, of = ("class", "") if objective.seen == LOGITS else ("channel", objective.seen)
            raise LayerError(
                f"{what} {highest} of {f'layer {of} of ' if of else ''}{network}: "
                f"no such {what}; it has {count}, from 0 to {count - 1}"
            )


def check_weights(network: str, path: Path, digest: str) -> None:
    """WeightsError, naming the tensors, where a weights file of this digest does not fit."""

    def find_out() -> dict[str, Any]:
        from render.networks.weights import fitted

        fitted(network, path)
        return {"fits": True}

    remembered("fit", {"network": network, "digest": digest}, find_out)


def layers_of(network: str) -> Sequence[dict[str, Any]]:
    """Every layer as `name`, `channels`, `stride`, `field`, `halo`, `reason`, in order."""

    def find_out() -> dict[str, Any]:
        from render.networks.layers import layer_table

        return {
            "layers": [
                {"name": name, **asdict(seen), "halo": max(0, seen.field - 1)}
                for name, seen in layer_table(network).items()
            ]
        }

    table: Sequence[dict[str, Any]] = remembered("layers", {"network": network}, find_out)["layers"]
    return table
