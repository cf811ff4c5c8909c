"""What a member of a crew takes, measured where it works."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from render.engine.shard import Fragment


Phase = Literal["load", "gradients", "update", "save"]
"""load: an octave's tiles are made or read. gradients, update: the halves of a step. save: a
checkpoint is written."""


PHASES: tuple[Phase, ...] = get_args(Phase)


@dataclass(frozen=True)
class Measured:
    """Since the member was made: seconds by phase, bytes of halos made for others, and bytes of GPU
    memory at the most."""

    seconds: dict[Phase, float] = field(default_factory=dict)
    halo_bytes: int = 0
    gpu_memory: int = 0

    def during(self, *phases: Phase) -> float:
        """Seconds of all these phases together."""
        return sum(self.seconds.get(phase, 0.0) for phase in phases)


class Stopwatch:
    """Adds up what one member does."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._seconds: dict[Phase, float] = dict.fromkeys(PHASES, 0.0)
        self._sent = 0

    @contextmanager
    def during(self, phase: Phase) -> Iterator[None]:
        """Within, time counts for a phase, however it ends."""
        begun = self._clock()
        try:
            yield
        finally:
            self._seconds[phase] += self._clock() - begun

    def sent(self, fragments: "dict[int, Fragment]") -> "dict[int, Fragment]":
        """Take note of what was made for the others, and pass it on."""
        self._sent += sum(pixels.nbytes for _, pixels in fragments.values())
        return fragments

    def measured(self, gpu_memory: int) -> Measured:
        """All of it so far."""
        return Measured(dict(self._seconds), self._sent, gpu_memory)
