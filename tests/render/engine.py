"""What the engine's tests share: seeded networks, noisy pictures, one step tile by tile."""

from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from render.dream.band_gradient import View, pulls, slopes
from render.dream.config import Dream
from render.dream.objective import Mix, Objective
from render.dream.reference import whole_pulls
from render.engine.tile_store import Patch, assembled
from render.geometry.grid import Grid
from render.geometry.halo import fragments
from render.geometry.partition import partition
from render.geometry.rect import Rect, Size
from render.geometry.sampling_grid import Lattice
from render.networks.catalogue import build
from render.networks.graph import trace
from render.networks.network import Network, prepare
from render.networks.receptive_field import layer_grid
from render.networks.subgraph import cut

Shift = tuple[int, int]

PLAIN = Dream(smooth=None, palette="free")
"""Gradients as they are."""


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
    dream: Dream = PLAIN

    def whole(self, canvas: Tensor, shift: Shift) -> list[Tensor]:
        """The reference's pulls, one (height, width, 3) an objective and band."""
        return whole_pulls(self.network, self.mix.terms, self.dream, canvas, self.lattice, shift)

    def tile(self, canvas: Tensor, grid: Grid, index: int, shift: Shift) -> list[Tensor]:
        """One tile's pulls, computed from its window alone."""
        return self.held([(grid.whole, canvas)], grid, index, shift)

    def held(self, patches: list[Patch], grid: Grid, index: int, shift: Shift) -> list[Tensor]:
        """The same by who holds only some of the pixels."""
        core, window = grid.core(index), self.window(grid, index, shift)
        pixels = assembled(window, patches, patches[0][1])
        place = self.lattice.place(window, shift, (grid.height, grid.width))
        view = View(pixels, window, core, place)
        found = slopes(self.network, self.mix.terms, self.dream, view)
        return pulls(found, core, (grid.height, grid.width), self.dream)

    def single(self) -> "Climb":
        """The same in float32: folded alike, and rounded once."""
        module = deepcopy(self.network.module).float()
        network = replace(self.network, module=module, dtype=torch.float32)
        return replace(self, network=network)

    def window(self, grid: Grid, index: int, shift: Shift) -> Rect:
        """Where a tile looks."""
        size = (grid.height, grid.width)
        return self.lattice.window(grid.core(index), grid.tile, shift, size)


def on_a_crew(
    step: Climb, canvas: Tensor, grid: Grid, members: int, shift: tuple[int, int]
) -> list[Tensor]:
    """One step's pulls where each member has its block and the fragments it is sent, no more."""
    count = len(step.mix) * len(step.dream.bands)
    found = [torch.full_like(canvas, torch.nan) for _ in range(count)]
    blocks = partition(grid, members)
    gives = fragments(grid, step.lattice, blocks)
    for member, block in enumerate(blocks):
        rects = [block.pixels(grid), *(given[member] for given in gives if member in given)]
        held: list[Patch] = [(rect, canvas[rect.slices()]) for rect in rects]
        for index in block.tiles(grid):
            for whole, part in zip(found, step.held(held, grid, index, shift), strict=True):
                whole[grid.core(index).slices()] = part
    return found


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
