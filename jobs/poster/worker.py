"""What a crew's members do for a poster: take the input in, dream, commit, show."""

import shutil
from pathlib import Path

from cluster.actor import interrupted
from jobs.poster.picture_io import Scribe
from jobs.runtime.checkpoints import Part
from jobs.runtime.context import Site
from jobs.runtime.environment import Machinery, machinery
from jobs.runtime.metrics.timings import Measured, Stopwatch
from jobs.runtime.scratch import Stay
from render.device import memory_taken
from render.engine.setup import Recipe
from render.engine.shard import Fragment, Shard
from render.geometry.halo import Gives
from render.geometry.partition import Block
from render.pictures.tiled_image import Mosaic

_KEPT = 2
"""Checkpoints whose files stay on the machine that made them, as long as in the store."""


class Worker(Scribe, Shard):
    """A shard with the hands of a scribe."""

    def __init__(self, recipe: Recipe, site: Site, member: int) -> None:
        Scribe.__init__(self, site)
        self._stay, self._own = Stay(site.scratch), site.scratch / f"worker-{member}"
        Shard.__init__(self, recipe, self._own, interrupted)
        self._member = member
        self._files: list[Path] = []
        self._watch = Stopwatch()

    def close(self) -> None:
        """Leave nothing of this member on its machine but what others there may read."""
        shutil.rmtree(self._own, ignore_errors=True)
        self._stay.end()

    def machinery(self) -> Machinery:
        """What this member computes with."""
        return machinery(self._recipe.device)

    def measured(self) -> Measured:
        """What this member has taken so far."""
        return self._watch.measured(memory_taken(self._recipe.device))

    def begin(
        self, octave: int, block: Block, gives: Gives, before: Mosaic | None
    ) -> dict[int, Fragment]:
        with self._watch.during("load"):
            return self._watch.sent(super().begin(octave, block, gives, before))

    def resume(
        self, octave: int, block: Block, gives: Gives, canvas: Mosaic
    ) -> dict[int, Fragment]:
        with self._watch.during("load"):
            return self._watch.sent(super().resume(octave, block, gives, canvas))

    def climb(self, step: int, *fragments: Fragment) -> dict[int, tuple[float, ...]]:
        with self._watch.during("gradients"):
            return super().climb(step, *fragments)

    def update(self, step_scales: tuple[float, ...]) -> dict[int, Fragment]:
        with self._watch.during("update"):
            return self._watch.sent(super().update(step_scales))

    def save(self, sequence: int) -> Part:
        """Write this shard of the canvas into the store, exactly."""
        key = self._site.keys.shard(self._site.number, sequence, self._member)
        with self._watch.during("save"):
            file = self.commit(self._site.near(key))
            self._site.hand_over(key)
        self._files.append(self._site.kept(key))
        while len(self._files) > _KEPT:
            self._files.pop(0).unlink(missing_ok=True)
        slots = file.slots
        return Part(key=key, size=slots.length, dtype=slots.dtype, tiles=slots.tiles)
