"""Counters of one holder's work, and the snapshots of them that it sends."""

import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from jobs.records.record import Record
from jobs.records.status import Failure, Items
from jobs.runtime.metrics.progress import Progress
from jobs.runtime.metrics.timings import WorkerTimings

Outcome = Literal["done"] | Failure
"""What became of a dataset's item: it is done, or it failed with an error of this class."""


_Count = Annotated[int, Field(ge=0)]

_Amount = Annotated[float, Field(ge=0)]


class ResourceUse(BaseModel):
    """The resources that a holder uses: CPU cores, GPUs, and bytes of memory."""

    model_config = Record.model_config

    cores: _Count
    gpus: _Count
    memory: _Count


class MetricsSnapshot(Record):
    """Sums since the holder started, which never fall, and its current resources.

    steps, megapixel_steps: done by this holder; repeated steps count again. phase_seconds: of all
    workers together, by phase. halo_bytes: sent from worker to worker. checkpoints: written.
    checkpoint_seconds: the time that the crew waited for them. retries: crews and pools replaced,
    by the class of the error. items: of a dataset, by outcome. workers: now. progress: of the job,
    from 0 to 1. gpu_memory: the peak of each worker, in bytes; 0 on a CPU; empty before it is
    known. use: the resources in use; None before they are known.
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
    use: ResourceUse | None = None


WAITING = "waiting"
"""The phase of workers that wait for halos or for the slowest worker."""


_SEND_INTERVAL = 1.0
"""Shortest time in seconds between two snapshots."""


_QUERY_INTERVAL = 10.0
"""Seconds between two queries for a crew's timings. Each takes the crew a moment."""


SendSnapshot = Callable[[MetricsSnapshot], None]
"""Sends a snapshot to the scheduler. It must not wait."""


def _discard(_: MetricsSnapshot) -> None:
    """Send nothing."""


class Counters:
    """The counters of one holder. They are sent as they change."""

    def __init__(
        self, send: SendSnapshot = _discard, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._send, self._clock = send, clock
        self._sent = self._queried = clock()
        self._due = math.inf
        self._last: Progress | None = None
        self._members: dict[int, WorkerTimings] = {}
        self._steps, self._megapixel_steps, self._progress = 0, 0.0, 0.0
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._halo_bytes = self._workers = self._checkpoints = 0
        self._checkpoint_seconds = 0.0
        self._retries: Counter[Failure] = Counter()
        self._first_items: Items | None = None
        self._items: dict[Outcome, int] = {}
        self._use: ResourceUse | None = None

    def start_crew(self, workers: int) -> None:
        """Start counting another crew or pool of this size."""
        self._workers, self._members, self._last = workers, {}, None
        self._queried, self._due = self._clock(), math.inf

    def use_resources(self, use: ResourceUse) -> None:
        """Set the resources in use. Sent at once, because other jobs may wait for the rest."""
        self._use = use
        self.send()

    def add_progress(self, seen: Progress) -> None:
        """Count the steps since the last call. Only a crew's own steps count."""
        self._progress = seen.fraction
        if seen.phase == "dream":
            if self._last is not None and seen.done > self._last.done:
                self._steps += 1
                self._megapixel_steps += seen.done - self._last.done
                # The first query comes after the first step, when a crew holds all its memory.
                self._due = self._queried + (_QUERY_INTERVAL if self._members else 0.0)
            self._last = seen
        self._send_if_due()

    def add_items(self, items: Items) -> None:
        """Count a dataset's items. Items that earlier holders finished do not count."""
        first = self._first_items = self._first_items or items
        self._increase("done", items.done - first.done)
        for failure, count in items.failed.items():
            self._increase(failure, count - first.failed.get(failure, 0))

    def _increase(self, outcome: Outcome, count: int) -> None:
        self._items[outcome] = max(self._items.get(outcome, 0), count)

    def add_retry(self, failure: Failure) -> None:
        """Count a crew or pool that failed and will be replaced."""
        self._retries[failure] += 1

    def set_checkpoints(self, count: int, seconds: float) -> None:
        """Set the number of checkpoints so far, and the seconds they took."""
        self._checkpoints, self._checkpoint_seconds = count, seconds

    @property
    def is_due(self) -> bool:
        """Whether it is time to query the crew's timings."""
        return self._clock() >= self._due

    def add_timings(self, found: dict[int, WorkerTimings]) -> None:
        """Add the timings of the current crew since its workers started.

        found: by member. The rest of the workers' time is waiting.
        """
        now = self._clock()
        spent: defaultdict[str, float] = defaultdict(float)
        for member, one in found.items():
            before = self._members.get(member, WorkerTimings())
            self._halo_bytes += one.halo_bytes - before.halo_bytes
            for phase, seconds in one.seconds.items():
                spent[phase] += seconds - before.seconds.get(phase, 0.0)
        passed = len(found) * (now - self._queried)
        spent[WAITING] = max(0.0, passed - sum(spent.values()))
        for name, seconds in spent.items():
            self._seconds[name] += seconds
        self._members, self._queried, self._due = found, now, math.inf
        self.send()

    def snapshot(self) -> MetricsSnapshot:
        """The counters now."""
        return MetricsSnapshot(
            steps=self._steps,
            megapixel_steps=self._megapixel_steps,
            phase_seconds=dict(self._seconds),
            halo_bytes=self._halo_bytes,
            checkpoints=self._checkpoints,
            checkpoint_seconds=self._checkpoint_seconds,
            retries=dict(self._retries),
            items=self._items,
            workers=self._workers,
            progress=min(1.0, self._progress),
            gpu_memory=_gpu_memory_by_member(self._members),
            use=self._use,
        )

    def send(self) -> None:
        """Send a snapshot now."""
        self._sent = self._clock()
        self._send(self.snapshot())

    def _send_if_due(self) -> None:
        if self._clock() - self._sent >= _SEND_INTERVAL:
            self.send()


def _gpu_memory_by_member(members: dict[int, WorkerTimings]) -> tuple[int, ...]:
    return tuple(members[member].gpu_memory for member in sorted(members))
