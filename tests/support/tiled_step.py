"""One gradient step of a picture: as a whole, tile by tile, and block by block."""

from copy import deepcopy
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from render.dream.attachments import prepare_objectives
from render.dream.band_gradient import TileView, band_gradients, tile_gradients
from render.dream.config import Dream
from render.dream.objective import Mix, Objective
from render.dream.plane import endless
from render.dream.reference import picture_gradients
from render.engine.tile_store import Patch, assemble
from render.geometry.grid import Grid
from render.geometry.partition import halo_exchange, partition
from render.geometry.rect import Rect
from render.geometry.sampling_grid import SamplingGrid
from render.networks.network import Network, prepare_network
from render.networks.receptive_field import layer_grid

Shift = tuple[int, int]


PLAIN_DREAM = Dream(smooth=None, palette="free")
"""A dream that does not change the gradients."""


@dataclass(frozen=True)
class TiledStep:
    """One step: the reference and the tiles use the same prepared network."""

    network: Network
    sampling_grid: SamplingGrid
    mix: Mix
    dream: Dream = PLAIN_DREAM

    def picture_gradients(self, canvas: Tensor, shift: Shift) -> list[Tensor]:
        """The reference's gradients, one (height, width, 3) for each objective and band."""
        return picture_gradients(
            self.network, self.mix.terms, self.dream, canvas, self.sampling_grid, shift
        )

    def tile(self, canvas: Tensor, grid: Grid, index: int, shift: Shift) -> list[Tensor]:
        """The gradients of one tile, from its window only."""
        return self.tile_from_patches([(grid.whole, canvas)], grid, index, shift)

    def tile_from_patches(
        self, patches: list[Patch], grid: Grid, index: int, shift: Shift
    ) -> list[Tensor]:
        """Like `tile`, for a worker that holds only these pixels."""
        core, window = grid.core(index), self.window(grid, index, shift)

        def read(rect: Rect) -> Tensor:
            return assemble(rect, patches, patches[0][1])

        pixels = endless(read, (grid.height, grid.width), self.dream.edges)(window)
        position = self.sampling_grid.window_position(window, shift, (grid.height, grid.width))
        view = TileView(pixels, window, core, position)
        found = tile_gradients(self.network, self.mix.terms, self.dream, view)
        return band_gradients(found, core, (grid.height, grid.width), self.dream)

    def in_float32(self) -> "TiledStep":
        """The same step in float32, with the weights rounded after folding."""
        module = deepcopy(self.network.module).float()
        network = replace(self.network, module=module, dtype=torch.float32)
        return replace(self, network=network)

    def window(self, grid: Grid, index: int, shift: Shift) -> Rect:
        """The window of a tile."""
        size = (grid.height, grid.width)
        return self.sampling_grid.window(grid.core(index), grid.tile, shift, size)


def step_by_blocks(
    step: TiledStep, canvas: Tensor, grid: Grid, members: int, shift: tuple[int, int]
) -> list[Tensor]:
    """One step's gradients, if each member has only its block and the halos of its neighbours."""
    count = len(step.mix) * len(step.dream.band_factors)
    found = [torch.full_like(canvas, torch.nan) for _ in range(count)]
    blocks = partition(grid, members)
    sends = halo_exchange(grid, step.sampling_grid, blocks)
    for member, block in enumerate(blocks):
        received = [rect for given in sends for rect in given.get(member, ())]
        rects = [block.pixels(grid), *received]
        held: list[Patch] = [(rect, canvas[rect.slices()]) for rect in rects]
        for index in block.tiles(grid):
            for whole, part in zip(
                found, step.tile_from_patches(held, grid, index, shift), strict=True
            ):
                whole[grid.core(index).slices()] = part
    return found


def mean_step(
    model: nn.Module,
    layers: tuple[str, ...],
    jitter: int = 0,
    dtype: torch.dtype = torch.float64,
    name: str = "tiny",
) -> TiledStep:
    """A step that maximises some layers of a model. The model itself is not changed."""
    mix = Mix(tuple(Objective(layer) for layer in layers))
    grid = layer_grid(deepcopy(model), name, layers)
    network = prepare_network(deepcopy(model), layers, dtype)
    return TiledStep(network, SamplingGrid(grid.stride, grid.field, jitter), mix)


def edged_step(model: nn.Module, mix: Mix, dream: Dream) -> TiledStep:
    """A step of a dream in float64, with its edges. The model itself is not changed."""
    grid = layer_grid(deepcopy(model), "tiny", mix.layers)
    network = prepare_network(deepcopy(model), mix.layers, torch.float64)
    units = dict(zip(mix.layers, grid.units, strict=True))
    ready = prepare_objectives(network, mix, units)
    return TiledStep(ready, dream.sampling_grid(grid.stride, grid.field), mix, dream)
