"""Stride and receptive field of every layer, measured on the network itself.

The network is run, but on positions instead of values: a pixel carries its own row (or column)
number, and every operation hands on the largest number that can influence its result, so a
convolution becomes the maximum over its window and channels. One run with the numbers and one with
their negatives give the first and the last pixel that *can* influence each unit, whatever the
weights: dead units and the losers of a max-pool count. Borders come out as they are: a unit whose
field is cut by one sees a pixel nearer to it than the widest field, so the others are away from it.
"""

import math
from dataclasses import dataclass

import torch
from torch import nn

from render.errors import LayerError
from render.geometry.units import Units
from render.networks.builtin import LOGITS
from render.networks.catalogue import build
from render.networks.graph import Traced, trace
from render.networks.position_trace import Positions, Seen
from render.networks.subgraph import cut

_LENGTHS = (512, 1536, 4608)  # of the measured stripe: the next when no unit is away from borders

_BREADTH = 96  # the stripe's other side: enough for every network's own reductions

_BREADTH_OF_HEADS = 256  # and for AlexNet's and VGG's classes, which need 224


@dataclass(frozen=True)
class Receptive:
    """What one layer's units see.

    `channels` of output; `stride`, pixels between neighbours; `field`, the side in pixels of the
    square that can influence a unit; `start`, the first pixel of unit 0's, below 0 where
    convolutions pad. `reason`: why there are no exact tiles (the rest is 0), or "".
    """

    channels: int
    stride: int
    field: int
    reason: str = ""
    start: int = 0


def receptive_fields(traced: Traced) -> dict[str, Receptive]:
    """What each layer sees, by name, for the layers whose output is a picture of features.

    Layers after a global operation are listed with the reason and no field.
    """
    found: dict[str, Receptive] = {}
    for length in _LENGTHS:
        found = _measured(traced, length)
        if not any(layer.reason == _too_wide(length) for layer in found.values()):
            break
    return found


def _too_wide(length: int) -> str:
    return f"its receptive field is wider than {length} pixels"


def _measured(traced: Traced, length: int) -> dict[str, Receptive]:
    tall, wide = _run(traced, length, axis=2), _run(traced, length, axis=3)
    found = {}
    for node, name in traced.names.items():
        if node in tall.reasons:
            found[name] = Receptive(0, 0, 0, tall.reasons[node])
        elif node in tall.values and _is_features(tall.values[node], wide.values[node]):
            down = _field(tall.values[node], length)
            across = _field(wide.values[node], length)
            found[name] = _joined(tall.values[node].shape[1], down, across)
    return found


def _is_features(tall: Seen, wide: Seen) -> bool:
    """Whether a value is a picture of features, channels before rows and columns."""
    same_channels = tall.shape[:2] == wide.shape[:2]
    return same_channels and tall.shape[0] == 2 and tall.shape[2] > wide.shape[2]


def _run(traced: Traced, length: int, axis: int) -> Positions:
    shape = [1, 1, 1, 1]
    shape[axis] = length
    numbers = torch.arange(length, dtype=torch.float32).reshape(shape)
    breadth = _BREADTH_OF_HEADS if LOGITS in traced.names.values() else _BREADTH
    full = [1, 3, breadth, breadth]
    full[axis] = length
    runner = Positions(traced, axis)
    with torch.no_grad():
        runner.run(torch.cat([numbers.expand(full), -numbers.expand(full)]))
    return runner


def _field(seen: Seen, length: int) -> tuple[int, int, int] | str:
    """Stride, field and start along an axis, or why there are none."""
    last, first = seen.last, seen.first
    widest = (last - first)[last.isfinite()].max()
    inner = last.isfinite() & (last > first.min() + widest) & (first < last.max() - widest)
    if int(inner.sum()) < 3:
        return _too_wide(length)
    starts, ends = first[inner], last[inner]
    steps, widths = set(starts.diff().tolist()), set((ends - starts).tolist())
    if len(steps) != 1 or len(widths) != 1:
        return "units see different surroundings at different places"
    stride = int(steps.pop())
    before = int(inner.nonzero()[0]) * stride
    return stride, int(widths.pop()) + 1, int(starts[0]) - before


def _joined(
    channels: int, down: tuple[int, int, int] | str, across: tuple[int, int, int] | str
) -> Receptive:
    if isinstance(down, str):
        return Receptive(channels, 0, 0, down)
    if isinstance(across, str):
        return Receptive(channels, 0, 0, across)
    if down[0] != across[0]:
        return Receptive(channels, 0, 0, "its strides down and across differ")
    # Of two fields the wider is the side of a square, and begins where that one does.
    _, field, start = max(down, across, key=lambda found: found[1])
    return Receptive(channels, down[0], field, start=start)


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
