"""A poster's worker: ingests the input, dreams its tiles, saves them and writes previews."""

import shutil
from pathlib import Path

from cluster.actor import is_cancelled
from jobs.poster.picture_io import PictureIO
from jobs.runtime.checkpoints import CommitPart
from jobs.runtime.context import JobContext
from jobs.runtime.environment import Environment, current_environment
from jobs.runtime.metrics.timings import Stopwatch, WorkerTimings
from jobs.runtime.scratch import ScratchLock
from render.device import peak_gpu_memory
from render.engine.setup import ShardSetup
from render.engine.shard import HaloPixels, Shard
from render.geometry.halo import HaloSends
from render.geometry.partition import Block
from render.pictures.tiled_image import TiledImage

_KEPT_CHECKPOINTS = 2
"""Checkpoints whose local copies stay on the machine that wrote them, as in the store."""


class Worker(PictureIO, Shard):
    """A shard that also reads and writes pictures, saves its tiles and measures its time."""

    def __init__(self, setup: ShardSetup, context: JobContext, member: int) -> None:
        PictureIO.__init__(self, context)
        self._scratch_lock, self._own = (
            ScratchLock(context.scratch),
            context.scratch / f"worker-{member}",
        )
        Shard.__init__(self, setup, self._own, is_cancelled)
        self._member = member
        self._files: list[Path] = []
        self._watch = Stopwatch()

    def close(self) -> None:
        """Remove this member's own files. Local copies stay for other members on this machine."""
        shutil.rmtree(self._own, ignore_errors=True)
        self._scratch_lock.release()

    def environment(self) -> Environment:
        """The device and software of this member."""
        return current_environment(self._setup.device)

    def timings(self) -> WorkerTimings:
        """The timings of this member so far."""
        return self._watch.timings(peak_gpu_memory(self._setup.device))

    def start(
        self, octave: int, block: Block, sends: HaloSends, before: TiledImage | None
    ) -> dict[int, HaloPixels]:
        with self._watch.during("load"):
            return self._watch.count_halos(super().start(octave, block, sends, before))

    def resume(
        self, octave: int, block: Block, sends: HaloSends, canvas: TiledImage
    ) -> dict[int, HaloPixels]:
        with self._watch.during("load"):
            return self._watch.count_halos(super().resume(octave, block, sends, canvas))

    def compute_gradients(self, step: int, *halos: HaloPixels) -> dict[int, tuple[float, ...]]:
        with self._watch.during("gradients"):
            return super().compute_gradients(step, *halos)

    def update(self, scales: tuple[float, ...]) -> dict[int, HaloPixels]:
        with self._watch.during("update"):
            return self._watch.count_halos(super().update(scales))

    def save(self, sequence: int) -> CommitPart:
        """Write this shard's tiles of the canvas to the store, without loss."""
        key = self._context.keys.shard(self._context.number, sequence, self._member)
        with self._watch.during("save"):
            file = self.write_tiles(self._context.draft(key))
            self._context.publish_draft(key)
        self._files.append(self._context.local_copy(key))
        while len(self._files) > _KEPT_CHECKPOINTS:
            self._files.pop(0).unlink(missing_ok=True)
        layout = file.layout
        return CommitPart(key=key, size=layout.size_bytes, dtype=layout.dtype, tiles=layout.tiles)
