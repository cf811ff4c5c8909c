"""A crew in this process, as small as one can be: shards, and who hands what to whom."""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from render.dream.step import scales
from render.engine.setup import Recipe
from render.engine.shard import Fragment, Shard
from render.geometry.grid import Grid
from render.geometry.halo import fragments
from render.geometry.partition import Block, partition
from render.geometry.rect import Rect
from render.pictures.tiled_image import Mosaic, Slots, TileFile


def decoded(samples: np.ndarray, folder: Path, tile: int = 64) -> Mosaic:
    """A picture (h, w, 3) as the decoded input that shards read."""
    height, width, _ = samples.shape
    grid = Grid(height, width, tile)
    file = TileFile(folder / "input", Slots(grid, str(samples.dtype), tuple(range(len(grid)))))
    file.create()
    for index in range(len(grid)):
        file.write(index, samples[grid.core(index).slices()])
    return Mosaic((file.readable(),))


def rendered(
    recipe: Recipe,
    folder: Path,
    members: int = 1,
    cut: tuple[tuple[Block, ...], ...] | None = None,
    alone: int = 0,
) -> np.ndarray:
    """The last octave (h, w, 3), rendered by a crew.

    `cut` gives each octave's blocks in place of the usual partition; the first `alone` octaves are
    rendered by the first member, the others being idle.
    """
    climb = Climb(recipe, folder, members)
    before: Mosaic | None = None
    for octave in range(len(recipe.sizes)):
        climb.octave = octave
        climb.blocks = cut[octave] if cut else partition(recipe.grid(octave), members)
        if octave < alone:
            idle = partition(Grid(1, 1, 1), members)[1:]
            climb.blocks = (*partition(recipe.grid(octave), 1), *idle)
        climb.begin(before)
        climb.steps(range(recipe.dream.steps))
        before = climb.commit()
    assert before is not None
    return before.read(before.grid.whole)


class Climb:
    """Shards in one octave, at first the first, cut as usual."""

    def __init__(
        self,
        recipe: Recipe,
        folder: Path,
        members: int,
        abandoned: Callable[[], bool] = lambda: False,
    ) -> None:
        self.octave = 0
        self.blocks = partition(recipe.grid(0), members)
        self._recipe, self._folder = recipe, folder
        folder.mkdir(parents=True, exist_ok=True)
        self._shards = [
            Shard(recipe, folder / f"scratch-{member}", abandoned) for member in range(members)
        ]
        self._given: list[dict[int, Fragment]] = []

    def begin(self, before: Mosaic | None) -> None:
        self._given = [
            shard.begin(self.octave, block, gives, before)
            for shard, block, gives in zip(self._shards, self.blocks, self._gives(), strict=True)
        ]

    def resume(self, canvas: Mosaic) -> None:
        self._given = [
            shard.resume(self.octave, block, gives, canvas)
            for shard, block, gives in zip(self._shards, self.blocks, self._gives(), strict=True)
        ]

    def steps(self, numbers: Iterable[int]) -> None:
        for step in numbers:
            sums: dict[int, tuple[float, ...]] = {}
            for taker, shard in enumerate(self._shards):
                taken = [given[taker] for given in self._given if taker in given]
                sums |= shard.climb(step, *taken)
            ordered = [sums[tile] for tile in range(len(self._recipe.grid(self.octave)))]
            recipe = self._recipe
            asked = recipe.step(self.octave, step)
            scale = scales(asked, ordered, recipe.sizes[self.octave], recipe.units)
            self._given = [shard.update(scale) for shard in self._shards]

    def _gives(self) -> tuple[dict[int, Rect], ...]:
        return fragments(self._recipe.grid(self.octave), self._recipe.lattice, self.blocks)

    def commit(self) -> Mosaic:
        files = [
            shard.commit(self._folder / f"octave-{self.octave}-{member}")
            for member, shard in enumerate(self._shards)
        ]
        return Mosaic(tuple(file.readable() for file in files))
