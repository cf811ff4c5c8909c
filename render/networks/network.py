"""A network ready to dream: cut, folded, frozen, on its device."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, fx, nn

from render.geometry.units import Units
from render.networks.graph import trace
from render.networks.subgraph import cut, fold_batch_norm, pool_repeatably, rectify_in_place


@dataclass(frozen=True)
class Network:
    """A cut network whose outputs are those of `layers`.

    `dtype` is what pictures are converted to on entry; gradients come back in the pictures' own.
    `units` of each layer, which only neurons need; `guides` by layer and picture: what the layer
    sees in it, (positions, C).
    """

    module: fx.GraphModule
    layers: tuple[str, ...]
    dtype: torch.dtype
    units: Mapping[str, Units] = field(default_factory=dict)
    guides: Mapping[tuple[str, Path], Tensor] = field(default_factory=dict)

    def activations(self, pictures: Tensor) -> dict[str, Tensor]:
        """(N, 3, H, W) in the canvas's normalised space to each layer's (N, C, h, w)."""
        outputs = self.module(pictures.to(self.dtype))
        return dict(zip(self.layers, outputs, strict=True))


def prepare(
    model: nn.Module,
    layers: tuple[str, ...],
    dtype: torch.dtype = torch.float32,
    device: torch.device | None = None,
) -> Network:
    """Cut a network after the deepest of the layers and make it fast: folded, channels_last.

    LayerError where a layer does not exist. Batch norm is folded in float64, so that the folded
    weights depend on the dtype by one rounding. bfloat16 is for the convolutions alone; a batch
    norm that could not be folded keeps float32, as under torch's autocast.
    """
    module = cut(trace(model), layers).graph.to(torch.float64)
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
    return Network(module, layers, dtype)


def load_network(
    name: str,
    weights: Path,
    layers: tuple[str, ...],
    dtype: torch.dtype = torch.float32,
    device: torch.device | None = None,
) -> Network:
    """The named network with a file's weights, prepared. NetworkError, WeightsError, LayerError."""
    # Only files need safetensors, which a bare GPU machine may lack.
    from render.networks.weights import fitted

    return prepare(fitted(name, weights), layers, dtype, device)
