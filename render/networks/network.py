"""A network that is ready for dreaming: reduced to a subgraph, folded, frozen, on its device."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, fx, nn

from render.errors import LayerError
from render.geometry.units import UnitGrid
from render.networks.convolution import has_fixed_convolutions
from render.networks.graph import trace
from render.networks.subgraph import (
    cast_inputs,
    extract_subgraph,
    fix_convolutions,
    fold_batch_norm,
    make_pools_deterministic,
    make_relu_in_place,
)


@dataclass(frozen=True)
class Network:
    """A network whose outputs are the activations of `layers`.

    dtype: pictures are converted to it on entry; gradients have the pictures' own dtype.
    units: the unit grid of each layer, which only objectives on neurons need.
    guides: the activations of a guide picture by layer and path, (positions, C).
    """

    module: fx.GraphModule
    layers: tuple[str, ...]
    dtype: torch.dtype
    units: Mapping[str, UnitGrid] = field(default_factory=dict)
    guides: Mapping[tuple[str, Path], Tensor] = field(default_factory=dict)

    def activations(self, pictures: Tensor) -> dict[str, Tensor]:
        """Return each layer's activations (N, C, h, w) for normalised pictures (N, 3, H, W)."""
        outputs = self.module(pictures.to(self.dtype))
        return dict(zip(self.layers, outputs, strict=True))


def prepare_network(
    model: nn.Module,
    layers: tuple[str, ...],
    dtype: torch.dtype = torch.float32,
    device: torch.device | None = None,
) -> Network:
    """Reduce a network to what the layers need, and optimise it: folded, channels_last.

    Batch norm is folded in float64, so the folded weights are rounded once to the dtype. bfloat16
    applies to convolutions and linear layers only. A batch norm that could not be folded keeps
    float32, as under torch's autocast. Raises LayerError if a layer does not exist.
    """
    module = extract_subgraph(trace(model), layers).graph.to(torch.float64)
    fold_batch_norm(module)
    make_relu_in_place(module)
    if device is not None and device.type == "cuda":
        make_pools_deterministic(module)
    module.requires_grad_(False)
    wide = torch.float32 if dtype == torch.bfloat16 else dtype
    module.to(device, wide).to(memory_format=torch.channels_last)
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.Linear):
            part.to(dtype)
    if dtype == torch.bfloat16:
        cast_inputs(module, dtype)
    if (device is None or device.type == "cpu") and has_fixed_convolutions(dtype):
        fix_convolutions(module)
    return Network(module, layers, dtype)


def load_network(
    name: str,
    weights: Path,
    layers: tuple[str, ...],
    dtype: torch.dtype = torch.float32,
    device: torch.device | None = None,
) -> Network:
    """Build a network with a file's weights and prepare it (`prepare_network`).

    Raises NetworkError, WeightsError or LayerError.
    """
    # Imported here because a minimal GPU machine may not have safetensors.
    from render.networks.weights import load_with_weights

    model = load_with_weights(name, weights)
    if any(parameter.is_meta for parameter in model.parameters()):
        _check_values(model, layers, name, weights)
    return prepare_network(model, layers, dtype, device)


def _check_values(model: nn.Module, layers: tuple[str, ...], name: str, weights: Path) -> None:
    """Raise LayerError if the layers need a head that the weights file lacks."""
    needed = extract_subgraph(trace(model), layers, name).graph
    for parameter, value in needed.named_parameters():
        if value.is_meta:
            raise LayerError(
                f"layers {', '.join(layers)} of {name}: weights {weights} have no values for "
                f"{parameter}; name a layer before the head"
            )
