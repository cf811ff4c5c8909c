"""Stride and receptive field of every layer, measured by tracing pixel positions.

A position trace runs with the row (or column) numbers and with their negatives. This gives the
last and the first pixel that can influence each unit, whatever the weights are. Only units whose
receptive field lies inside the picture are measured.
"""

import math
import shlex
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from render.errors import LayerError
from render.geometry.units import UnitGrid
from render.networks.architecture import named_network
from render.networks.builtin import LOGITS
from render.networks.catalogue import network_names
from render.networks.graph import TracedNetwork, trace
from render.networks.position_trace import PixelSpan, PositionTracer
from render.networks.subgraph import extract_subgraph

_STRIPE_LENGTHS = (
    512,
    1536,
    4608,
)  # pixels; the next one if every unit touches a border

_STRIPE_BREADTH = 96  # pixels; enough for the downsampling of every network

_STRIPE_BREADTH_WITH_HEAD = 256  # the heads of AlexNet and VGG need 224


@dataclass(frozen=True)
class ReceptiveField:
    """The receptive field of one layer's units.

    channels: output channels.
    stride: pixels between neighbouring units.
    field: side in pixels of the square that can influence a unit.
    reason: why the layer has no exact tiles (then stride and field are 0); empty if it has them.
    start: first pixel of the field of unit 0; negative if convolutions pad.
    """

    channels: int
    stride: int
    field: int
    reason: str = ""
    start: int = 0


def receptive_fields(traced: TracedNetwork) -> dict[str, ReceptiveField]:
    """Measure the receptive field of every layer whose output is a feature map, by name.

    Layers after a global operation have a reason and no field.
    """
    fields: dict[str, ReceptiveField] = {}
    for length in _STRIPE_LENGTHS:
        fields = _measure(traced, length)
        if not any(layer.reason == _too_wide_reason(length) for layer in fields.values()):
            break
    return fields


def _too_wide_reason(length: int) -> str:
    return f"its receptive field is wider than {length} pixels"


def _measure(traced: TracedNetwork, length: int) -> dict[str, ReceptiveField]:
    tall, wide = _trace_positions(traced, length, axis=2), _trace_positions(traced, length, axis=3)
    fields = {}
    for node, name in traced.names.items():
        if node in tall.reasons:
            fields[name] = ReceptiveField(0, 0, 0, tall.reasons[node])
        elif node in tall.values and _is_feature_map(tall.values[node], wide.values[node]):
            down = _measure_axis(tall.values[node], length)
            across = _measure_axis(wide.values[node], length)
            fields[name] = _combine_axes(tall.values[node].shape[1], down, across)
    return fields


def _is_feature_map(tall: PixelSpan, wide: PixelSpan) -> bool:
    """Whether a value is a feature map, (N, channels, rows, columns)."""
    same_channels = tall.shape[:2] == wide.shape[:2]
    return same_channels and tall.shape[0] == 2 and tall.shape[2] > wide.shape[2]


def _trace_positions(traced: TracedNetwork, length: int, axis: int) -> PositionTracer:
    shape = [1, 1, 1, 1]
    shape[axis] = length
    numbers = torch.arange(length, dtype=torch.float32).reshape(shape)
    breadth = _STRIPE_BREADTH_WITH_HEAD if LOGITS in traced.names.values() else _STRIPE_BREADTH
    full = [1, 3, breadth, breadth]
    full[axis] = length
    runner = PositionTracer(traced, axis)
    with torch.no_grad():
        runner.run(torch.cat([numbers.expand(full), -numbers.expand(full)]))
    return runner


def _measure_axis(span: PixelSpan, length: int) -> tuple[int, int, int] | str:
    """Return stride, field and start along an axis, or the reason why there are none."""
    last, first = span.last, span.first
    widest = (last - first)[last.isfinite()].max()
    inner = last.isfinite() & (last > first.min() + widest) & (first < last.max() - widest)
    if int(inner.sum()) < 3:
        return _too_wide_reason(length)
    starts, ends = first[inner], last[inner]
    steps, widths = set(starts.diff().tolist()), set((ends - starts).tolist())
    if len(steps) != 1 or len(widths) != 1:
        return "units see different surroundings at different places"
    stride = int(steps.pop())
    before = int(inner.nonzero()[0]) * stride
    return stride, int(widths.pop()) + 1, int(starts[0]) - before


def _combine_axes(
    channels: int, down: tuple[int, int, int] | str, across: tuple[int, int, int] | str
) -> ReceptiveField:
    if isinstance(down, str):
        return ReceptiveField(channels, 0, 0, down)
    if isinstance(across, str):
        return ReceptiveField(channels, 0, 0, across)
    if down[0] != across[0]:
        return ReceptiveField(channels, 0, 0, "its strides down and across differ")
    # The wider of the two fields is the side of the square, and sets its start.
    _, field, start = max(down, across, key=lambda axis: axis[1])
    return ReceptiveField(channels, down[0], field, start=start)


@dataclass(frozen=True)
class LayerGrid:
    """The tile constraints of several layers together.

    stride: least common multiple of their strides, in pixels.
    field: largest receptive field, in pixels.
    channels, units: channel count and unit grid of each layer, in the order of the layers.
    """

    stride: int
    field: int
    channels: tuple[int, ...]
    units: tuple[UnitGrid, ...]


def layer_table(name: str) -> dict[str, ReceptiveField]:
    """Return the receptive field of every layer of a network, in order. Needs no weights.

    name: of a network, or the path of an ONNX file. Raises NetworkError if it is not known.
    """
    return receptive_fields(trace(named_network(name).build()))


def layer_grid(model: nn.Module, name: str, layers: tuple[str, ...]) -> LayerGrid:
    """Return the grid that these layers share. Needs no weights.

    name: the network's name, for messages. layers: may include the classes (LOGITS).
    Raises LayerError if a layer does not exist or has no exact tiles.
    """
    traced = extract_subgraph(trace(model), layers, name)
    measured = receptive_fields(traced)
    fields = []
    for layer in layers:
        inside = [one for known, one in measured.items() if traced.is_in_block(known, layer)]
        fields.append(_exact_field(model, inside, name, layer))
    return LayerGrid(
        math.lcm(*(one.stride for one in fields)),
        max(one.field for one in fields),
        tuple(one.channels for one in fields),
        tuple(UnitGrid(one.stride, one.start, one.field) for one in fields),
    )


def _exact_field(
    model: nn.Module, inside: list[ReceptiveField], name: str, layer: str
) -> ReceptiveField:
    """The field of the last layer in a block. inside: the measured layers in it."""
    if not inside:
        raise LayerError(
            f"layer {layer} of {name}: gives no picture of features; "
            f"{_layer_lister(name)} lists those that do"
        )
    if inside[-1].reason:
        deepest = f"the deepest that has is {_deepest_exact_layer(receptive_fields(trace(model)))}"
        if layer == LOGITS:
            raise LayerError(
                f"classes of {name}: have no exact tiles, because {inside[-1].reason}; "
                f"name a layer instead: {deepest}"
            )
        raise LayerError(
            f"layer {layer} of {name}: has no exact tiles, because {inside[-1].reason}; {deepest}"
        )
    return inside[-1]


def _layer_lister(name: str) -> str:
    """What lists the layers of a network: a command for a name or a file, else a function."""
    has_command = name in network_names() or Path(name).is_file()
    return f"`dreamfarm layers {shlex.quote(name)}`" if has_command else "render.network_layers"


def _deepest_exact_layer(table: dict[str, ReceptiveField]) -> str:
    exact = [layer for layer, field in table.items() if not field.reason]
    return exact[-1] if exact else "none"
