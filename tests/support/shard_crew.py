"""The smallest crew: shards in this process, and the halos that they exchange."""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from render.dream.step import step_scales
from render.engine.setup import ShardSetup
from render.engine.shard import HaloPixels, Shard
from render.geometry.grid import Grid
from render.geometry.halo import halo_exchange
from render.geometry.partition import Block, partition
from render.geometry.rect import Rect
from render.pictures.tiled_image import TiledImage, TileFile, TileLayout


def write_input(samples: np.ndarray, folder: Path, tile: int = 64) -> TiledImage:
    """Write a picture (h, w, 3) as the input that shards read."""
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
    cut: tuple[tuple[Block, ...], ...] | None = None,
    alone: int = 0,
) -> np.ndarray:
    """Render all octaves with a crew; returns the last one (h, w, 3).

    cut: each octave's blocks, instead of the usual partition.
    alone: how many octaves the first member renders while the others are idle.
    """
    crew = ShardCrew(setup, folder, members)
    before: TiledImage | None = None
    for octave in range(len(setup.sizes)):
        crew.octave = octave
        crew.blocks = cut[octave] if cut else partition(setup.grid(octave), members)
        if octave < alone:
            idle = partition(Grid(1, 1, 1), members)[1:]
            crew.blocks = (*partition(setup.grid(octave), 1), *idle)
        crew.start(before)
        crew.steps(range(setup.dream.steps))
        before = crew.write_tiles()
    assert before is not None
    return before.read(before.grid.whole)


class ShardCrew:
    """The shards of one octave: at first octave 0 in its usual partition."""

    def __init__(
        self,
        setup: ShardSetup,
        folder: Path,
        members: int,
        abandoned: Callable[[], bool] = lambda: False,
    ) -> None:
        self.octave = 0
        self.blocks = partition(setup.grid(0), members)
        self._setup, self._folder = setup, folder
        folder.mkdir(parents=True, exist_ok=True)
        self._shards = [
            Shard(setup, folder / f"scratch-{member}", abandoned) for member in range(members)
        ]
        self._given: list[dict[int, HaloPixels]] = []

    def start(self, before: TiledImage | None) -> None:
        self._given = [
            shard.start(self.octave, block, sends, before)
            for shard, block, sends in zip(self._shards, self.blocks, self._sends(), strict=True)
        ]

    def resume(self, canvas: TiledImage) -> None:
        self._given = [
            shard.resume(self.octave, block, sends, canvas)
            for shard, block, sends in zip(self._shards, self.blocks, self._sends(), strict=True)
        ]

    def steps(self, numbers: Iterable[int]) -> None:
        for step in numbers:
            sums: dict[int, tuple[float, ...]] = {}
            for taker, shard in enumerate(self._shards):
                taken = [given[taker] for given in self._given if taker in given]
                sums |= shard.compute_gradients(step, *taken)
            ordered = [sums[tile] for tile in range(len(self._setup.grid(self.octave)))]
            setup = self._setup
            asked = setup.step(self.octave, step)
            scale = step_scales(asked, ordered, setup.sizes[self.octave], setup.units)
            self._given = [shard.update(scale) for shard in self._shards]

    def _sends(self) -> tuple[dict[int, Rect], ...]:
        return halo_exchange(self._setup.grid(self.octave), self._setup.sampling_grid, self.blocks)

    def write_tiles(self) -> TiledImage:
        files = [
            shard.write_tiles(self._folder / f"octave-{self.octave}-{member}")
            for member, shard in enumerate(self._shards)
        ]
        return TiledImage(tuple(file.as_tile_set() for file in files))
