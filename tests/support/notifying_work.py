"""A `work` whose jobs end at once, in a process that a test kills: `STORE READY ADDRESS...`.

All is real but the rendering: the scheduler, leases, the coordinator's reports, and the couriers.
"""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from jobs.notify.address import read_addresses
from jobs.records.job import StoredJob
from jobs.records.keys import JobKeys
from jobs.records.lease import HeldLease
from jobs.runtime.control import Control
from jobs.runtime.metrics.exporter import MetricsExporter
from jobs.runtime.reporter import Reporter
from jobs.services.scheduler.capacity import ResourceShare, TotalCapacity, subtract
from jobs.services.scheduler.coordinator import Coordinator
from jobs.services.scheduler.coordinator_process import CoordinatorConfig, CoordinatorProcess
from jobs.services.scheduler.scheduler import Scheduler
from jobs.services.scheduler.settings import SchedulerSettings
from jobs.store.address import open_store
from jobs.text.errors import RequestError
from tests.support.scheduler_harness import FakeProcess

FAILS = "fails"
"""What the names of jobs begin with that fail."""

_CORES = ResourceShare(4)


class _InstantCoordinator(Coordinator):
    """Ends its job without rendering anything."""

    def _run_kind(self, job: StoredJob, lease: HeldLease, reporter: Reporter) -> None:
        if job.id.startswith(FAILS):
            raise RequestError("sky.jpg: is no picture")
        lease.check()
        open_store(self._config.store).put_if_absent(JobKeys(job.id).manifest, b'{"version": 1}')


def _start(
    config: CoordinatorConfig, held: HeldLease, share: ResourceShare, job: StoredJob
) -> CoordinatorProcess:
    store = open_store(config.store)
    backend: Any = None
    coordinator = _InstantCoordinator(
        config, Control(), lambda: store, lambda: nullcontext(backend)
    )
    process: Any = FakeProcess(returncode=coordinator.run())
    return CoordinatorProcess(process, config, held, share, job)


LEASE = 1.0
"""Seconds after which a killed process counts as dead."""


def main(address: str, ready: Path, given: list[str]) -> None:
    """Serve a store until no work is left, or until somebody kills this process.

    ready: a file to make before the first look at the store.
    """
    settings = SchedulerSettings(
        lease_seconds=LEASE,
        poll=0.2,
        until_idle=True,
        addresses=read_addresses(given, {}),
    )

    def capacity(used: list[ResourceShare]) -> TotalCapacity:
        return TotalCapacity(_CORES, subtract(_CORES, used), 1 << 33)

    def report(event: str, line: str, job: str | None = None, /) -> None:
        sys.stderr.write(f"{line}\n")

    exporter = MetricsExporter(CollectorRegistry())
    store = open_store(address)
    scheduler = Scheduler(store, capacity, settings, report, exporter, start=_start)
    ready.touch()
    scheduler.run()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
