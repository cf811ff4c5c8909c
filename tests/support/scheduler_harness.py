"""A scheduler on a store in memory, with fake coordinator processes."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CollectorRegistry

from jobs.poster.submit import submit_poster
from jobs.records.job import StoredJob, load_job
from jobs.records.keys import JobKeys
from jobs.records.lease import HeldLease
from jobs.records.spending import Spent
from jobs.runtime.metrics.exporter import MetricsExporter
from jobs.runtime.metrics.snapshot import (
    MetricsSnapshot,
    ResourceUse,
    SnapshotReader,
    SnapshotWriter,
)
from jobs.services.scheduler.capacity import ResourceShare, TotalCapacity, subtract
from jobs.services.scheduler.coordinator_process import CoordinatorConfig, CoordinatorProcess
from jobs.services.scheduler.scheduler import Scheduler
from jobs.services.scheduler.settings import SchedulerSettings
from jobs.spec.document import parse_poster_spec
from jobs.store.store import ObjectInfo
from tests.support.memory_store import MemoryStore


class CountingStore(MemoryStore):
    """Counts its requests."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: Counter[str] = Counter()

    def list_objects(self, prefix: str) -> Iterator[ObjectInfo]:
        self.requests["list"] += 1
        return super().list_objects(prefix)

    def get_with_age(self, key: str) -> tuple[bytes, float]:
        self.requests["get"] += 1
        return super().get_with_age(key)


@dataclass
class FakeProcess:
    """Stands for a coordinator's process."""

    returncode: int | None = None
    signals: list[int] = field(default_factory=list)
    pid: int = 1

    def poll(self) -> int | None:
        return self.returncode

    def send_signal(self, number: int) -> None:
        self.signals.append(number)

    def kill(self) -> None:
        self.returncode = -9

    def wait(self) -> None:
        assert self.returncode is not None


class SchedulerHarness:
    """A scheduler of a machine with `cores`; the test moves its clock.

    store: any store with jobs in it; by default an empty one in memory. start_error: what starting
    a coordinator raises, if the test sets it. settings: of the scheduler, besides those here.
    """

    def __init__(
        self, cores: int = 2, is_fixed: bool = True, store: Any = None, **settings: Any
    ) -> None:
        self.store: CountingStore = CountingStore() if store is None else store
        self.registry = CollectorRegistry()
        self.now = 0.0
        self.messages: list[str] = []
        self.started: list[str] = []
        self.processes: dict[str, FakeProcess] = {}
        self.configs: dict[str, CoordinatorConfig] = {}
        self.readers: dict[str, SnapshotReader] = {}
        self.start_error: OSError | None = None
        self.capacity, self._is_fixed = ResourceShare(cores), is_fixed
        self.scheduler = Scheduler(
            self.store,
            self._query_capacity,
            SchedulerSettings(until_idle=is_fixed, clock=lambda: self.now, **settings),
            lambda event, line, job=None: self.messages.append(line),
            MetricsExporter(self.registry),
            start=self._start,
        )

    def submit(self, name: str, priority: int = 50, workers: int | str = 1, **crew: Any) -> str:
        """Submit a job of noise, a second after the one before."""
        document: dict[str, Any] = {
            "name": name,
            "input": {"noise": {"seed": 1}},
            "size": "64x64",
            "priority": priority,
            "crew": {"workers": workers, **crew},
        }
        self.store.now += 1
        return submit_poster(self.store, parse_poster_spec(document)).job

    def scan(self) -> bool:
        """Reap the coordinators, and scan the store once."""
        self.scheduler.reap()
        return self.scheduler.scan()

    def use_resources(self, job: str, use: ResourceUse) -> None:
        """Report what a coordinator's crew uses."""
        SnapshotWriter(self.readers[job].child_end)(MetricsSnapshot(use=use))

    def spend(self, job: str, **spent: float) -> None:
        """Report what a coordinator's workers have cost since it started."""
        sums = Spent(**spent)
        SnapshotWriter(self.readers[job].child_end)(MetricsSnapshot(spent=sums))

    def end(self, job: str, code: int = 0, manifest: bool = True) -> None:
        """End a coordinator, by default as if it had finished its job."""
        keys = JobKeys(job)
        current_lease = load_job(self.store, job).current_lease
        assert current_lease is not None
        if manifest:
            self.store.put(keys.manifest, b"{}")
        if code == 0:
            lease = current_lease.lease.model_copy(update={"released": True})
            self.store.put(keys.lease(current_lease.number), lease.encode())
        self.processes[job].returncode = code

    def _query_capacity(self, used: list[ResourceShare]) -> TotalCapacity:
        return TotalCapacity(self.capacity, subtract(self.capacity, used), 8 << 30, self._is_fixed)

    def _start(
        self, config: CoordinatorConfig, held: HeldLease, share: ResourceShare, job: StoredJob
    ) -> CoordinatorProcess:
        if self.start_error is not None:
            raise self.start_error
        process: Any = FakeProcess()
        self.started.append(config.job)
        self.processes[config.job], self.configs[config.job] = process, config
        reader = self.readers[config.job] = SnapshotReader()
        return CoordinatorProcess(process, config, held, share, job, reader)
