"""What one worker of a crew spends: seconds by phase, bytes of halos, and GPU memory."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from render.engine.shard import HaloPixels


Phase = Literal["load", "gradients", "update", "save"]
"""load: an octave's tiles are made or read. gradients, update: the two halves of a step. save: a
checkpoint is written."""


PHASES: tuple[Phase, ...] = get_args(Phase)


@dataclass(frozen=True)
class WorkerTimings:
    """What a worker has spent since it started.

    seconds: by phase. halo_bytes: of the halos for other workers. gpu_memory: the peak, in bytes.
    """

    seconds: dict[Phase, float] = field(default_factory=dict)
    halo_bytes: int = 0
    gpu_memory: int = 0

    def during(self, *phases: Phase) -> float:
        """The seconds of these phases together."""
        return sum(self.seconds.get(phase, 0.0) for phase in phases)


class Stopwatch:
    """Measures one worker."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._seconds: dict[Phase, float] = dict.fromkeys(PHASES, 0.0)
        self._halo_bytes = 0

    @contextmanager
    def during(self, phase: Phase) -> Iterator[None]:
        """Add the time until the block ends to a phase."""
        begun = self._clock()
        try:
            yield
        finally:
            self._seconds[phase] += self._clock() - begun

    def count_halos(self, halos: "dict[int, HaloPixels]") -> "dict[int, HaloPixels]":
        """Count the bytes of halos for other workers. Returns the halos."""
        self._halo_bytes += sum(pixels.nbytes for _, pixels in halos.values())
        return halos

    def timings(self, gpu_memory: int) -> WorkerTimings:
        """The timings so far. gpu_memory: the peak, in bytes."""
        return WorkerTimings(dict(self._seconds), self._halo_bytes, gpu_memory)
