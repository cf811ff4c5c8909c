"""Counters of one holder's work, and of the time that its workers spend."""

import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

from jobs.records.spending import Spent
from jobs.records.status import FailureClass, ItemCounts
from jobs.runtime.metrics.progress import Progress
from jobs.runtime.metrics.snapshot import MetricsSnapshot, Outcome, ResourceUse

if TYPE_CHECKING:
    from render.engine.shard import HaloPixels


WorkerPhase = Literal["load", "gradients", "update", "save"]
"""The phases of one worker, for metrics and the load balancer.

load: it makes or reads the tiles of an octave. gradients, update: the two halves of a step. save:
it writes a checkpoint.
"""


WORKER_PHASES: tuple[WorkerPhase, ...] = get_args(WorkerPhase)


@dataclass(frozen=True)
class WorkerTimings:
    """The time, traffic and memory of a worker since it started.

    seconds: by phase. halo_bytes: of the halos for other workers. gpu_memory: the peak, in bytes.
    """

    seconds: dict[WorkerPhase, float] = field(default_factory=dict)
    halo_bytes: int = 0
    gpu_memory: int = 0

    def during(self, *phases: WorkerPhase) -> float:
        """The seconds of these phases together."""
        return sum(self.seconds.get(phase, 0.0) for phase in phases)


class Stopwatch:
    """Measures the timings of one worker."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._seconds: dict[WorkerPhase, float] = dict.fromkeys(WORKER_PHASES, 0.0)
        self._halo_bytes = 0

    @contextmanager
    def during(self, phase: WorkerPhase) -> Iterator[None]:
        """Add the time until the block ends to a phase."""
        begun = self._clock()
        try:
            yield
        finally:
            self._seconds[phase] += self._clock() - begun

    def count_halos(self, halos: "dict[int, HaloPixels]") -> "dict[int, HaloPixels]":
        """Count the bytes of halos for other workers. Returns the halos."""
        self._halo_bytes += sum(pixels.nbytes for halo in halos.values() for _, pixels in halo)
        return halos

    def timings(self, gpu_memory: int) -> WorkerTimings:
        """The timings so far. gpu_memory: the peak, in bytes."""
        return WorkerTimings(dict(self._seconds), self._halo_bytes, gpu_memory)


WAITING = "waiting"
"""The phase of workers that wait for halos, or for the slowest worker."""


_SEND_INTERVAL = 1.0
"""Shortest time in seconds between two snapshots."""


_QUERY_INTERVAL = 10.0
"""Seconds between two queries for a crew's timings. Each one delays the crew."""


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
        self._retries: Counter[FailureClass] = Counter()
        self._first_items: ItemCounts | None = None
        self._items: dict[Outcome, int] = {}
        self._use: ResourceUse | None = None
        self._spent: Callable[[], Spent] = Spent

    def count_spending(self, spent: Callable[[], Spent]) -> None:
        """Let snapshots tell what this holder's workers have cost."""
        self._spent = spent

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

    def add_items(self, items: ItemCounts) -> None:
        """Count a dataset's items. Items that earlier holders finished do not count."""
        first = self._first_items = self._first_items or items
        self._increase("done", items.done - first.done)
        for failure, count in items.failed.items():
            self._increase(failure, count - first.failed.get(failure, 0))

    def _increase(self, outcome: Outcome, count: int) -> None:
        self._items[outcome] = max(self._items.get(outcome, 0), count)

    def add_retry(self, failure: FailureClass) -> None:
        """Count a crew or pool that failed and will be replaced."""
        self._retries[failure] += 1

    def set_checkpoints(self, count: int, seconds: float) -> None:
        """Set the number of checkpoints so far, and the seconds they took."""
        self._checkpoints, self._checkpoint_seconds = count, seconds

    @property
    def timings_are_due(self) -> bool:
        """Whether it is time to query the crew's timings."""
        return self._clock() >= self._due

    def add_timings(self, timings: dict[int, WorkerTimings]) -> None:
        """Add the timings of the current crew since its workers started.

        timings: by member. The rest of the workers' time is waiting.
        """
        now = self._clock()
        spent: defaultdict[str, float] = defaultdict(float)
        for member, one in timings.items():
            before = self._members.get(member, WorkerTimings())
            self._halo_bytes += one.halo_bytes - before.halo_bytes
            for phase, seconds in one.seconds.items():
                spent[phase] += seconds - before.seconds.get(phase, 0.0)
        passed = len(timings) * (now - self._queried)
        spent[WAITING] = max(0.0, passed - sum(spent.values()))
        for name, seconds in spent.items():
            self._seconds[name] += seconds
        self._members, self._queried, self._due = timings, now, math.inf
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
            spent=self._spent().rounded(),
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
