"""The layers of a network, and the sampling grid that some of them share."""

import math
from dataclasses import dataclass

from torch import nn

from render.errors import LayerError
from render.networks.catalogue import build
from render.networks.cut import cut
from render.networks.receptive import Receptive, receptive_fields
from render.networks.trace import trace
from render.objective import LOGITS
from render.units import Units


@dataclass(frozen=True)
class LayerGrid:
    """What layers share: the least common stride and the widest field, in pixels.

    `channels` and `units` of each layer, in the order in which the layers were named.
    """

    stride: int
    field: int
    channels: tuple[int, ...]
    units: tuple[Units, ...]


def layer_table(name: str) -> dict[str, Receptive]:
    """What every layer of a network sees, in order; needs no weights. NetworkError if unknown."""
    return receptive_fields(trace(build(name)))


def layer_grid(model: nn.Module, name: str, layers: tuple[str, ...]) -> LayerGrid:
    """The grid that these layers of a network share; needs no weights.

    LayerError where a layer does not exist, or has no exact tiles: then with the reason and the
    deepest layer that has. The classes (LOGITS) are a layer like others.
    """
    found = receptive_fields(cut(trace(model), layers))
    seen = [_exact(found, name, layer) for layer in layers]
    return LayerGrid(
        math.lcm(*(one.stride for one in seen)),
        max(one.field for one in seen),
        tuple(one.channels for one in seen),
        tuple(Units(one.stride, one.start, one.field) for one in seen),
    )


def _exact(found: dict[str, Receptive], name: str, layer: str) -> Receptive:
    inside = [seen for known, seen in found.items() if f"{known}.".startswith(f"{layer}.")]
    if not inside:
        raise LayerError(
            f"layer {layer} of {name}: gives no picture of features; "
            f"`dreamfarm layers {name}` lists those that do"
        )
    if inside[-1].reason:
        deepest = f"the deepest that has is {_deepest_exact(layer_table(name))}"
        if layer == LOGITS:
            raise LayerError(
                f"classes of {name}: have no exact tiles, because {inside[-1].reason}; "
                f"name a layer instead: {deepest}"
            )
        raise LayerError(
            f"layer {layer} of {name}: has no exact tiles, because {inside[-1].reason}; {deepest}"
        )
    return inside[-1]


def _deepest_exact(table: dict[str, Receptive]) -> str:
    exact = [layer for layer, seen in table.items() if not seen.reason]
    return exact[-1] if exact else "none"
