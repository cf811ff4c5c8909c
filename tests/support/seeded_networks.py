"""Networks with seeded weights, and pictures of noise for them."""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from render.geometry.rect import Size
from render.networks.catalogue import build_network
from render.networks.graph import trace
from render.networks.subgraph import extract_subgraph


def seeded_whole_network(name: str, *, auxiliary: bool = False) -> nn.Module:
    """A network in float64 with every weight seeded, including heads and normalisations."""
    model = build_network(name, auxiliary=auxiliary).to_empty(device="cpu").double()
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.05)
    fill_weights(model)
    return model


def noise_picture(size: Size, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    """A picture (height, width, 3) without ties."""
    torch.manual_seed(seed)
    return torch.randn(*size, 3, dtype=torch.float64).to(dtype)


def relative_error(found: Tensor, wanted: Tensor) -> float:
    """|found - wanted| / |wanted| in float64; 0 if both are exactly zero."""
    found, wanted = found.detach().double(), wanted.detach().double()
    difference = (found - wanted).norm()
    return float(difference / wanted.norm()) if difference != 0 else 0.0


def fill_weights(model: nn.Module, seed: int = 0) -> None:
    """Fill with Kaiming weights and random batch norms, as if trained."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for part in model.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
                if part.bias is not None:
                    part.bias.normal_(0, 0.1)
            elif isinstance(part, nn.BatchNorm2d):
                part.reset_running_stats()
                part.weight.uniform_(0.5, 1.5)
                part.bias.normal_(0, 0.2)


def calibrate_norms(model: nn.Module, seed: int = 0) -> None:
    """Measure the statistics of every batch norm on a noisy picture."""
    norms = [part for part in model.modules() if isinstance(part, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = None
        norm.train()
    with torch.no_grad():
        model(noise_picture((96, 96), seed, torch.float32).permute(2, 0, 1)[None])
    for norm in norms:
        norm.eval()


def seeded_network(name: str, layers: tuple[str, ...], seed: int = 0) -> nn.Module:
    """A network with seeded weights up to the layers; other tensors stay on the meta device."""
    model = build_network(name)
    needed = extract_subgraph(trace(model), layers).graph
    needed.to_empty(device="cpu")
    fill_weights(needed, seed)
    calibrate_norms(needed, seed)
    return model


def save_seeded_weights(name: str, layers: tuple[str, ...], path: Path, seed: int = 0) -> Path:
    """Write a weights file: seeded up to the layers, zero elsewhere."""
    tensors = seeded_network(name, layers, seed).state_dict()
    save_file(
        {n: torch.zeros_like(t, device="cpu") if t.is_meta else t for n, t in tensors.items()}, path
    )
    return path
