"""What the engine's tests share: seeded networks, noisy pictures, one step tile by tile."""

from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from render.gradient import gradients
from render.grid import Grid
from render.lattice import Lattice
from render.networks.catalogue import build
from render.networks.cut import cut
from render.networks.layers import layer_grid
from render.networks.network import Network, prepare
from render.networks.trace import trace
from render.objective import Mix, Objective
from render.rect import Rect, Size
from render.reference import whole_gradients
from render.window import assembled

Shift = tuple[int, int]


def noise(size: Size, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    """A picture (height, width, 3) in which nothing ties."""
    torch.manual_seed(seed)
    return torch.randn(*size, 3, dtype=torch.float64).to(dtype)


def relative(found: Tensor, wanted: Tensor) -> float:
    """|found - wanted| / |wanted|, both in float64; 0 where both are exactly zero."""
    found, wanted = found.detach().double(), wanted.detach().double()
    difference = (found - wanted).norm()
    return float(difference / wanted.norm()) if difference != 0 else 0.0


def fill(model: nn.Module, seed: int = 0) -> None:
    """Kaiming weights, and batch norms that do something, as if they had been trained."""
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


def calibrate(model: nn.Module, seed: int = 0) -> None:
    """Have every batch norm of a network measure its own statistics on a noisy picture."""
    norms = [part for part in model.modules() if isinstance(part, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = None
        norm.train()
    with torch.no_grad():
        model(noise((96, 96), seed, torch.float32).permute(2, 0, 1)[None])
    for norm in norms:
        norm.eval()


def seeded(name: str, layers: tuple[str, ...], seed: int = 0) -> nn.Module:
    """A network by name whose weights are seeded as far as the layers need, and shapes beyond."""
    model = build(name)
    needed = cut(trace(model), layers).graph
    needed.to_empty(device="cpu")
    fill(needed, seed)
    calibrate(needed, seed)
    return model


def save_seeded(name: str, layers: tuple[str, ...], path: Path, seed: int = 0) -> Path:
    """A weights file: seeded as far as the layers need, zero beyond."""
    tensors = seeded(name, layers, seed).state_dict()
    save_file(
        {n: torch.zeros_like(t, device="cpu") if t.is_meta else t for n, t in tensors.items()}, path
    )
    return path


@dataclass(frozen=True)
class Climb:
    """One step of one picture: the same prepared network for the reference and the tiles."""

    network: Network
    lattice: Lattice
    mix: Mix

    def whole(self, canvas: Tensor, shift: Shift) -> list[Tensor]:
        """The reference's gradients, one (height, width, 3) an objective."""
        return whole_gradients(self.network, self.mix, canvas, self.lattice, shift)

    def tile(self, canvas: Tensor, grid: Grid, index: int, shift: Shift) -> list[Tensor]:
        """One tile's gradients, computed from its window alone."""
        core, window = grid.core(index), self.window(grid, index, shift)
        padded = assembled(window, [(grid.whole, canvas)], canvas)
        return gradients(self.network, self.mix, padded, core.shifted(-window.top, -window.left))

    def single(self) -> "Climb":
        """The same in float32: folded alike, and rounded once."""
        module = deepcopy(self.network.module).float()
        return replace(self, network=Network(module, self.network.layers, torch.float32))

    def window(self, grid: Grid, index: int, shift: Shift) -> Rect:
        """Where a tile looks."""
        size = (grid.height, grid.width)
        return self.lattice.window(grid.core(index), grid.tile, shift, size)


def climb(
    model: nn.Module,
    layers: tuple[str, ...],
    jitter: int = 0,
    dtype: torch.dtype = torch.float64,
    name: str = "tiny",
) -> Climb:
    """A step up the mean of some layers; the model is left as it is."""
    mix = Mix(tuple(Objective(layer) for layer in layers))
    grid = layer_grid(deepcopy(model), name, layers)
    network = prepare(deepcopy(model), layers, dtype)
    return Climb(network, Lattice(grid.stride, grid.field, jitter), mix)
