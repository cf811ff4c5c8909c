"""A network ready to dream: cut, folded, frozen, on its device."""

import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, fx, nn

from render.errors import LayerError
from render.networks.catalogue import build
from render.networks.cut import cut, fold_batch_norm, pool_repeatably, rectify_in_place
from render.networks.receptive import Receptive, receptive_fields
from render.networks.trace import trace
from render.networks.weights import fitted


@dataclass(frozen=True)
class Network:
    """A cut network with the sampling grid that all of its layers share.

    `stride` and `field` in pixels: the least common stride and the widest receptive field of the
    layers. `dtype` is what pictures are converted to on entry; gradients come back in theirs.
    """

    module: fx.GraphModule
    layers: tuple[str, ...]
    stride: int
    field: int
    dtype: torch.dtype

    def activations(self, pictures: Tensor) -> dict[str, Tensor]:
        """(N, 3, H, W) in the canvas's normalised space to each layer's (N, C, h, w)."""
        outputs = self.module(pictures.to(self.dtype))
        return dict(zip(self.layers, outputs, strict=True))


def layer_table(name: str) -> dict[str, Receptive]:
    """What every layer of a network sees; computed without weights. NetworkError if unknown."""
    return receptive_fields(trace(build(name)))


def shared_grid(name: str, layers: tuple[str, ...]) -> tuple[int, int]:
    """Stride and field that these layers of a network share, computed without weights.

    LayerError where a layer does not exist, or has no exact tiles: then with the reason and the
    deepest layer that has.
    """
    return _grid(receptive_fields(cut(trace(build(name)), layers)), name, layers)


def prepare(
    model: nn.Module,
    name: str,
    layers: tuple[str, ...],
    dtype: torch.dtype = torch.float32,
    device: torch.device | None = None,
) -> Network:
    """Cut a network after the deepest of the layers and make it fast: folded, channels_last.

    Batch norm is folded in float64, so that the folded weights depend on the dtype by one rounding.
    bfloat16 is for the convolutions alone; a batch norm that could not be folded keeps float32, as
    under torch's autocast.
    """
    traced = cut(trace(model), layers)
    stride, field = _grid(receptive_fields(traced), name, layers)
    module = traced.graph.to(torch.float64)
    fold_batch_norm(module)
    rectify_in_place(module)
    if device is not None and device.type == "cuda":
        pool_repeatably(module)
    module.requires_grad_(False)
    wide = torch.float32 if dtype == torch.bfloat16 else dtype
    module.to(device, wide).to(memory_format=torch.channels_last)
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            part.to(dtype)
    return Network(module, layers, stride, field, dtype)


def load_network(
    name: str,
    weights: Path,
    layers: tuple[str, ...],
    dtype: torch.dtype = torch.float32,
    device: torch.device | None = None,
) -> Network:
    """The named network with a file's weights, prepared. NetworkError, WeightsError, LayerError."""
    return prepare(fitted(name, weights), name, layers, dtype, device)


def _grid(found: dict[str, Receptive], name: str, layers: tuple[str, ...]) -> tuple[int, int]:
    seen = []
    for layer in layers:
        node = _named(found, layer)
        if node is None:
            raise LayerError(
                f"layer {layer} of {name}: gives no picture of features; "
                f"`dreamfarm layers {name}` lists those that do"
            )
        if node.reason:
            raise LayerError(
                f"layer {layer} of {name}: has no exact tiles, because {node.reason}; "
                f"the deepest that has is {deepest_exact(layer_table(name))}"
            )
        seen.append(node)
    return math.lcm(*(node.stride for node in seen)), max(node.field for node in seen)


def _named(found: dict[str, Receptive], layer: str) -> Receptive | None:
    if layer in found:
        return found[layer]
    inside = [value for name, value in found.items() if name.startswith(layer + ".")]
    return inside[-1] if inside else None


def deepest_exact(table: dict[str, Receptive]) -> str:
    """The last layer that has exact tiles, or `none`."""
    exact = [layer for layer, seen in table.items() if not seen.reason]
    return exact[-1] if exact else "none"
