"""The worker of a poster: ingests the input, dreams its tiles, saves them, writes previews."""

import shutil
from pathlib import Path

from cluster.actor import is_cancelled
from jobs.poster.picture_io import PictureIO
from jobs.runtime.checkpoints import CommitPart
from jobs.runtime.context import JobContext
from jobs.runtime.environment import Environment, current_environment
from jobs.runtime.metrics.counters import Stopwatch, WorkerTimings
from jobs.runtime.scratch import ScratchLock
from render.device import peak_gpu_memory
from render.engine.setup import ShardSetup
from render.engine.shard import HaloPixels, Shard
from render.geometry.partition import Block, HaloSends
from render.pictures.tiled_image import TiledImage

_KEPT_CHECKPOINTS = 2
"""How many checkpoints keep local copies on the machine that wrote them; as many as the store."""


class Worker(PictureIO, Shard):
    """A member of a poster's crew. `jobs.poster.octave_loop` and the runner call its methods.

    It is a shard that also reads and writes pictures, saves its tiles and measures its time.
    """

    def __init__(self, setup: ShardSetup, context: JobContext, member: int) -> None:
        PictureIO.__init__(self, context)
        self._scratch_lock = ScratchLock(context.scratch)
        self._own_folder = context.scratch / f"worker-{member}"
        Shard.__init__(self, setup, self._own_folder, is_cancelled)
        self._member = member
        self._saved_files: list[Path] = []
        self._stopwatch = Stopwatch()

    def close(self) -> None:
        """Remove this member's own files. Local copies stay for other members on this machine."""
        shutil.rmtree(self._own_folder, ignore_errors=True)
        self._scratch_lock.release()

    def environment(self) -> Environment:
        """The device and software of this member."""
        return current_environment(self._setup.device)

    def timings(self) -> WorkerTimings:
        """The timings of this member so far."""
        return self._stopwatch.timings(peak_gpu_memory(self._setup.device))

    def start(
        self, octave: int, block: Block, sends: HaloSends, before: TiledImage | None
    ) -> dict[int, HaloPixels]:
        with self._stopwatch.during("load"):
            return self._stopwatch.count_halos(super().start(octave, block, sends, before))

    def resume(
        self, octave: int, block: Block, sends: HaloSends, canvas: TiledImage
    ) -> dict[int, HaloPixels]:
        with self._stopwatch.during("load"):
            return self._stopwatch.count_halos(super().resume(octave, block, sends, canvas))

    def compute_gradients(self, step: int, *halos: HaloPixels) -> dict[int, tuple[float, ...]]:
        with self._stopwatch.during("gradients"):
            return super().compute_gradients(step, *halos)

    def update(self, scales: tuple[float, ...]) -> dict[int, HaloPixels]:
        with self._stopwatch.during("update"):
            return self._stopwatch.count_halos(super().update(scales))

    def save(self, sequence: int) -> CommitPart:
        """Write this shard's tiles of the canvas to the store, exactly. Raises StoreError."""
        key = self._context.keys.shard(self._context.lease_number, sequence, self._member)
        with self._stopwatch.during("save"):
            file = self.write_tiles(self._context.draft(key))
            self._context.publish_draft(key)
        self._saved_files.append(self._context.local_copy(key))
        while len(self._saved_files) > _KEPT_CHECKPOINTS:
            self._saved_files.pop(0).unlink(missing_ok=True)
        layout = file.layout
        return CommitPart(key=key, size=layout.size_bytes, dtype=layout.dtype, tiles=layout.tiles)
