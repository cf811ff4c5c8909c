"""Adds up what one holder of a job does, as it reports it, for whoever watches."""

import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from jobs.records.record import Record
from jobs.records.state import Failure, Items
from jobs.runtime.metrics.progress import Progress
from jobs.runtime.metrics.timings import Measured

Outcome = Literal["done"] | Failure
"""Of a dataset's item: it is done, or failed for good with a failure of that class."""


_Count = Annotated[int, Field(ge=0)]

_Amount = Annotated[float, Field(ge=0)]


class Use(BaseModel):
    """What a holder's work asks of what it was given: cores and GPUs, and bytes of memory."""

    model_config = Record.model_config

    cores: _Count
    gpus: _Count
    memory: _Count


class Readings(Record):
    """Sums since the holder began, which never fall, and what it works with now.

    steps, megapixel_steps: dreamed by this holder, those included that had to be done again.
    phase_seconds: seconds of all workers together, by what they did. halo_bytes: pixels that went
    from worker to worker. checkpoints, checkpoint_seconds: written, and how long the crew waited.
    retries: crews and pools that were replaced, by the class of the failure. items: of a dataset.
    workers: now. progress: of the job, from 0 to 1. gpu_memory: bytes that each worker has taken of
    its GPU at the most, 0 where it computes on CPUs; empty before it is known. use: now, and until
    it says otherwise; None before it is known.
    """

    steps: _Count = 0
    megapixel_steps: _Amount = 0.0
    phase_seconds: dict[str, _Amount] = Field(default_factory=dict)
    halo_bytes: _Count = 0
    checkpoints: _Count = 0
    checkpoint_seconds: _Amount = 0.0
    retries: dict[Failure, _Count] = Field(default_factory=dict)
    items: dict[Outcome, _Count] = Field(default_factory=dict)
    workers: _Count = 0
    progress: Annotated[float, Field(ge=0, le=1)] = 0.0
    gpu_memory: tuple[_Count, ...] = ()
    use: Use | None = None


WAITING = "waiting"
"""The phase of workers that do none of the others: they wait for fragments, or for the slowest."""


_APART = 1.0
"""Seconds between two tellings, at the least."""


_ROUND = 10.0
"""Seconds between two questions to a crew, each of which costs it a moment."""


Tell = Callable[[Readings], None]


def _nobody(_: Readings) -> None:
    """Nobody watches."""


class Meter:
    """One holder's; tell: is told of it as it goes, and must not wait."""

    def __init__(self, tell: Tell = _nobody, clock: Callable[[], float] = time.monotonic) -> None:
        self._tell, self._clock = tell, clock
        self._told = self._asked = clock()
        self._due = math.inf
        self._last: Progress | None = None
        self._members: dict[int, Measured] = {}
        self._steps, self._work, self._share = 0, 0.0, 0.0
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._halo_bytes = self._workers = self._checkpoints = 0
        self._checkpoint_seconds = 0.0
        self._retries: Counter[Failure] = Counter()
        self._first_items: Items | None = None
        self._items: dict[Outcome, int] = {}
        self._use: Use | None = None

    def crew(self, workers: int) -> None:
        """Another crew or pool begins, of so many."""
        self._workers, self._members, self._last = workers, {}, None
        self._asked, self._due = self._clock(), math.inf

    def uses(self, use: Use) -> None:
        """From now on so much is asked for; told at once, since others may wait for the rest."""
        self._use = use
        self.tell()

    def progressed(self, seen: Progress) -> None:
        """Take in where the render is; between the first and the last step of a crew it counts."""
        self._share = seen.share
        if seen.phase == "dream":
            if self._last is not None and seen.done > self._last.done:
                self._steps += 1
                self._work += seen.done - self._last.done
                # A crew is asked after its first step, when it has all its memory.
                self._due = self._asked + (_ROUND if self._members else 0.0)
            self._last = seen
        self._tell_now_and_then()

    def counted(self, items: Items) -> None:
        """Take in what has become of a dataset's items; what others did before does not count."""
        first = self._first_items = self._first_items or items
        self._raise("done", items.done - first.done)
        for failure, count in items.failed.items():
            self._raise(failure, count - first.failed.get(failure, 0))

    def _raise(self, outcome: Outcome, count: int) -> None:
        self._items[outcome] = max(self._items.get(outcome, 0), count)

    def retried(self, failure: Failure) -> None:
        """A crew or pool ended so, and another is to follow."""
        self._retries[failure] += 1

    def checkpointed(self, count: int, seconds: float) -> None:
        """So many checkpoints so far, which took so long."""
        self._checkpoints, self._checkpoint_seconds = count, seconds

    @property
    def is_due(self) -> bool:
        """Whether it is time to ask the members."""
        return self._clock() >= self._due

    def measured(self, found: dict[int, Measured]) -> None:
        """Take in what the members of the present crew have measured since they were made."""
        now = self._clock()
        spent: defaultdict[str, float] = defaultdict(float)
        for member, one in found.items():
            before = self._members.get(member, Measured())
            self._halo_bytes += one.halo_bytes - before.halo_bytes
            for phase, seconds in one.seconds.items():
                spent[phase] += seconds - before.seconds.get(phase, 0.0)
        whole = len(found) * (now - self._asked)
        spent[WAITING] = max(0.0, whole - sum(spent.values()))
        for name, whole in spent.items():
            self._seconds[name] += whole
        self._members, self._asked, self._due = found, now, math.inf
        self.tell()

    def readings(self) -> Readings:
        """All of it so far."""
        return Readings(
            steps=self._steps,
            megapixel_steps=self._work,
            phase_seconds=dict(self._seconds),
            halo_bytes=self._halo_bytes,
            checkpoints=self._checkpoints,
            checkpoint_seconds=self._checkpoint_seconds,
            retries=dict(self._retries),
            items=self._items,
            workers=self._workers,
            progress=min(1.0, self._share),
            gpu_memory=_by_member(self._members),
            use=self._use,
        )

    def tell(self) -> None:
        """Say how it stands now."""
        self._told = self._clock()
        self._tell(self.readings())

    def _tell_now_and_then(self) -> None:
        if self._clock() - self._told >= _APART:
            self.tell()


def _by_member(members: dict[int, Measured]) -> tuple[int, ...]:
    return tuple(members[member].gpu_memory for member in sorted(members))
