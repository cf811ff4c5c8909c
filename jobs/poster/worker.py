"""What a crew's members do for a poster: take the input in, dream, commit, write files."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from cluster.interruption import interrupted
from jobs.checkpoint.commit import Part
from jobs.checkpoint.site import Site
from jobs.poster.encoded import Encoded
from jobs.poster.machinery import Machinery, machinery
from jobs.poster.measured import Measured, Stopwatch
from jobs.source import opened
from jobs.spec import Spec
from render.device import memory_taken
from render.fragment import Gives
from render.intake import Pictured, take_in
from render.mosaic import Mosaic
from render.outtake import bands
from render.partition import Block
from render.pictures.deepzoom import tiles_folder
from render.pictures.digest import digest
from render.pictures.labels import Labels
from render.pictures.source import open_picture
from render.pictures.write import write_picture
from render.preview import preview
from render.recipe import Recipe
from render.shard import Abandoned, Fragment, Shard

_AT_ONCE = 8
"""Files of a DeepZoom that are uploaded at the same time."""

_KEPT = 2
"""Checkpoints whose files stay on the machine that made them, as long as in the store."""


class Scribe:
    """Decodes the input and encodes outputs, so that the coordinator touches no pixels."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def take_in(self, spec: Spec) -> None:
        """Decode the spec's input into tiles that every worker can read."""
        if spec.input.path is not None:
            path = self._site.here(spec.input.path, self._site.blobs.input)
            here = spec.input.model_copy(update={"path": path})
            spec = spec.model_copy(update={"input": here})
        picture, _ = opened(spec)
        self._take_in(picture, self._site.keys.input)

    def take_in_mask(self, path: Path, number: int, max_pixels: int) -> None:
        """Decode one of the job's masks the same way."""
        picture = open_picture(self._site.companion(path), max_pixels)
        self._take_in(picture, self._site.keys.mask(number))

    def _take_in(self, picture: Pictured, key: str) -> None:
        take_in(picture, self._site.near(key))
        self._site.hand_over(key)

    def show(self, canvas: Mosaic, octave: int) -> None:
        """Put a small picture of an octave's canvas where people can look at it."""
        key = self._site.keys.preview(octave)
        small = preview(canvas)
        height, width, _ = small.shape
        path = self._site.near(key)
        write_picture(path, "jpeg", (height, width), 8, iter([small]), Labels(None, ""))
        self._site.hand_over(key)

    def write(
        self, canvas: Mosaic, name: str, format_name: str, depth: int, labels: Labels
    ) -> Encoded:
        """Encode the committed canvas as one output."""
        size = (canvas.grid.height, canvas.grid.width)
        keys, number = self._site.keys, self._site.number
        path = self._site.near(keys.output(number, name))
        write_picture(path, format_name, size, depth, _watched(canvas, depth), labels)
        files = [path]
        if format_name == "deepzoom":
            files += sorted(one for one in tiles_folder(path).rglob("*") if one.is_file())
        found = Encoded(f"sha256:{digest(path)}", sum(one.stat().st_size for one in files))
        names = [str(one.relative_to(path.parent)) for one in files]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(self._site.hand_over, (keys.output(number, one) for one in names)))
        return found


class Worker(Scribe, Shard):
    """A shard with the hands of a scribe."""

    def __init__(self, recipe: Recipe, site: Site, member: int) -> None:
        Scribe.__init__(self, site)
        Shard.__init__(self, recipe, site.scratch / f"worker-{member}", interrupted)
        self._member = member
        self._files: list[Path] = []
        self._watch = Stopwatch()

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


def _watched(canvas: Mosaic, depth: int) -> Iterator[np.ndarray]:
    """Bands of samples, until nobody waits for them any more."""
    for band in bands(canvas, depth):
        if interrupted():
            raise Abandoned
        yield band
