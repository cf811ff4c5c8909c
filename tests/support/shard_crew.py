"""A minimal crew: shards in this process, which exchange halos."""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from render.dream.step import step_scales
from render.engine.setup import ShardSetup
from render.engine.shard import HaloPixels, Shard
from render.geometry.grid import Grid
from render.geometry.partition import Block, halo_exchange, partition
from render.geometry.rect import Rect, Size
from render.pictures.tiled_image import TiledImage, TileFile, TileLayout


def tiled(sizes: Iterable[Size], tile: int) -> tuple[Grid, ...]:
    """The tiles of each octave, all of one side in pixels."""
    return tuple(Grid(*size, tile) for size in sizes)


def write_input(samples: np.ndarray, folder: Path, tile: int = 64) -> TiledImage:
    """Write a picture (h, w, 3) into tiles, as the input of shards."""
    height, width, _ = samples.shape
    grid = Grid(height, width, tile)
    file = TileFile(folder / "input", TileLayout(grid, str(samples.dtype), tuple(range(len(grid)))))
    file.create()
    for index in range(len(grid)):
        file.write(index, samples[grid.core(index).slices()])
    return TiledImage((file.as_tile_set(),))


def render_dream(
    setup: ShardSetup,
    folder: Path,
    members: int = 1,
    blocks: tuple[tuple[Block, ...], ...] | None = None,
    alone: int = 0,
) -> np.ndarray:
    """Render all octaves with a crew; returns the last one (h, w, 3).

    blocks: of each octave, instead of the usual partition.
    alone: the first octaves in which only the first member works.
    """
    crew = ShardCrew(setup, folder, members)
    before: TiledImage | None = None
    for octave in range(len(setup.sizes)):
        crew.octave = octave
        crew.blocks = blocks[octave] if blocks else partition(setup.grids[octave], members)
        if octave < alone:
            idle = partition(Grid(1, 1, 1), members)[1:]
            crew.blocks = (*partition(setup.grids[octave], 1), *idle)
        crew.start(before)
        crew.steps(range(setup.dream.steps))
        before = crew.write_tiles()
    assert before is not None
    return before.read(before.grid.whole)


class ShardCrew:
    """The shards of one octave: initially octave 0, with the usual partition."""

    def __init__(
        self,
        setup: ShardSetup,
        folder: Path,
        members: int,
        abandoned: Callable[[], bool] = lambda: False,
    ) -> None:
        self.octave = 0
        self.blocks = partition(setup.grids[0], members)
        self._setup, self._folder = setup, folder
        folder.mkdir(parents=True, exist_ok=True)
        self._shards = [
            Shard(setup, folder / f"scratch-{member}", abandoned) for member in range(members)
        ]
        self._halos: list[dict[int, HaloPixels]] = []

    def start(self, before: TiledImage | None) -> None:
        self._halos = [
            shard.start(self.octave, block, sends, before)
            for shard, block, sends in zip(self._shards, self.blocks, self._sends(), strict=True)
        ]

    def resume(self, canvas: TiledImage) -> None:
        self._halos = [
            shard.resume(self.octave, block, sends, canvas)
            for shard, block, sends in zip(self._shards, self.blocks, self._sends(), strict=True)
        ]

    def steps(self, numbers: Iterable[int]) -> None:
        for step in numbers:
            sums: dict[int, tuple[float, ...]] = {}
            for receiver, shard in enumerate(self._shards):
                received = [halos[receiver] for halos in self._halos if receiver in halos]
                sums |= shard.compute_gradients(step, *received)
            ordered = [sums[tile] for tile in range(len(self._setup.grids[self.octave]))]
            setup = self._setup
            step_plan = setup.step(self.octave, step)
            scales = step_scales(step_plan, ordered, setup.sizes[self.octave], setup.units)
            self._halos = [shard.update(scales) for shard in self._shards]

    def _sends(self) -> tuple[dict[int, tuple[Rect, ...]], ...]:
        return halo_exchange(self._setup.grids[self.octave], self._setup.sampling_grid, self.blocks)

    def write_tiles(self) -> TiledImage:
        files = [
            shard.write_tiles(self._folder / f"octave-{self.octave}-{member}")
            for member, shard in enumerate(self._shards)
        ]
        return TiledImage(tuple(file.as_tile_set() for file in files))
