"""A scheduler on a store in memory, whose coordinators are figures of the test."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CollectorRegistry

from jobs.poster.submit import submit
from jobs.records.job import Job, look
from jobs.records.keys import JobKeys
from jobs.records.lease import Held
from jobs.runtime.metrics.counters import Readings, Use
from jobs.runtime.metrics.exporter import Meters
from jobs.runtime.metrics.pipe import Ear, Mouth
from jobs.services.scheduler.capacity import Share, Whole, minus
from jobs.services.scheduler.coordinator_process import Child, Errand
from jobs.services.scheduler.scheduler import Scheduler, Settings
from jobs.spec.document import spec_of
from jobs.store.store import Entry
from tests.jobs.lifecycle.memory_store import MemoryStore


class CountingStore(MemoryStore):
    """Counts what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()

    def entries(self, prefix: str) -> Iterator[Entry]:
        self.asked["list"] += 1
        return super().entries(prefix)

    def aged(self, key: str) -> tuple[bytes, float]:
        self.asked["get"] += 1
        return super().aged(key)


@dataclass
class Figure:
    """A coordinator's process, as far as a scheduler sees one."""

    returncode: int | None = None
    told: list[int] = field(default_factory=list)
    pid: int = 1

    def poll(self) -> int | None:
        return self.returncode

    def send_signal(self, number: int) -> None:
        self.told.append(number)

    def kill(self) -> None:
        self.returncode = -9

    def wait(self) -> None:
        assert self.returncode is not None


class Office:
    """A scheduler of a machine with some cores; its time goes by as the test says."""

    def __init__(self, cores: int = 2, is_fixed: bool = True) -> None:
        self.store = CountingStore()
        self.registry = CollectorRegistry()
        self.now = 0.0
        self.said: list[str] = []
        self.started: list[str] = []
        self.figures: dict[str, Figure] = {}
        self.errands: dict[str, Errand] = {}
        self.ears: dict[str, Ear] = {}
        self.whole, self._is_fixed = Share(cores), is_fixed
        self.scheduler = Scheduler(
            self.store,
            self._ask,
            Settings(until_idle=is_fixed),
            lambda event, line, job=None: self.said.append(line),
            Meters(self.registry),
            launch=self._launch,
            clock=lambda: self.now,
        )

    def submit(self, name: str, priority: int = 50, workers: int | str = 1, **crew: Any) -> str:
        """A job of noise; each is a second younger than the one before."""
        document: dict[str, Any] = {
            "name": name,
            "input": {"noise": {"seed": 1}},
            "size": "64x64",
            "priority": priority,
            "crew": {"workers": workers, **crew},
        }
        self.store.now += 1
        return submit(self.store, spec_of(document)).job

    def look_around(self) -> bool:
        """One look at the store."""
        self.scheduler.reap()
        return self.scheduler.look_around()

    def uses(self, job: str, use: Use) -> None:
        """A coordinator says what its crew asks for."""
        Mouth(self.ears[job].mouth)(Readings(use=use))

    def end(self, job: str, code: int = 0, manifest: bool = True) -> None:
        """A coordinator leaves, as one that has finished its job, or otherwise."""
        keys = JobKeys(job)
        standing = look(self.store, job).standing
        assert standing is not None
        if manifest:
            self.store.put(keys.manifest, b"{}")
        if code == 0:
            lease = standing.lease.model_copy(update={"released": True})
            self.store.put(keys.lease(standing.number), lease.encoded())
        self.figures[job].returncode = code

    def _ask(self, used: list[Share]) -> Whole:
        return Whole(self.whole, minus(self.whole, used), 8 << 30, self._is_fixed)

    def _launch(self, errand: Errand, held: Held, share: Share, job: Job) -> Child:
        figure: Any = Figure()
        self.started.append(errand.job)
        self.figures[errand.job], self.errands[errand.job] = figure, errand
        ear = self.ears[errand.job] = Ear()
        return Child(figure, held, share, errand.memory, job, errand.scratch, ear=ear)
