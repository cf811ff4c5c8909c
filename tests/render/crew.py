"""A crew in this process, as small as one can be: shards, and who hands what to whom."""

from pathlib import Path

import numpy as np

from render.grid import Grid
from render.mosaic import Mosaic, TileFile
from render.partition import Block, partition
from render.recipe import Recipe
from render.shard import Shard
from render.step import scales


def decoded(samples: np.ndarray, folder: Path, tile: int = 64) -> Mosaic:
    """A picture (h, w, 3) as the decoded input that shards read."""
    height, width, _ = samples.shape
    grid = Grid(height, width, tile)
    file = TileFile(folder / "input", grid, str(samples.dtype), tuple(range(len(grid))))
    file.create()
    for index in range(len(grid)):
        file.write(index, samples[grid.core(index).slices()])
    return Mosaic((file,))


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
    shards = [Shard(recipe, folder / f"scratch-{member}") for member in range(members)]
    before: Mosaic | None = None
    for octave in range(len(recipe.sizes)):
        paths = [folder / f"octave-{octave}-{member}" for member in range(members)]
        blocks = cut[octave] if cut else partition(recipe.grid(octave), members)
        if octave < alone:
            idle = partition(Grid(1, 1, 1), members)[1:]
            blocks = (*partition(recipe.grid(octave), 1), *idle)
        _climb(recipe, shards, octave, blocks, before)
        files = [shard.commit(path) for shard, path in zip(shards, paths, strict=True)]
        before = Mosaic(tuple(files))
    assert before is not None
    return before.read(before.grid.whole)


def _climb(
    recipe: Recipe,
    shards: list[Shard],
    octave: int,
    blocks: tuple[Block, ...],
    before: Mosaic | None,
) -> None:
    given = [shard.begin(octave, blocks, at, before) for at, shard in enumerate(shards)]
    for step in range(recipe.dream.steps):
        sums: dict[int, tuple[float, ...]] = {}
        for taker, shard in enumerate(shards):
            sums |= shard.climb(step, *(fragments[taker] for fragments in given))
        ordered = [sums[tile] for tile in range(len(recipe.grid(octave)))]
        scale = scales(recipe.mix, ordered, recipe.sizes[octave])
        given = [shard.update(scale) for shard in shards]
