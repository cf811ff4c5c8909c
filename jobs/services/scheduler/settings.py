"""The settings of a scheduler."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from jobs.notify.address import Address, audience_of
from jobs.records.lease import HeldLease
from jobs.runtime.elastic_sizing import MIN_GAIN
from jobs.runtime.logs import LogFormat
from jobs.services.scheduler.assignment import Assignment
from jobs.services.scheduler.coordinator_process import CoordinatorConfig
from jobs.services.scheduler.day_budget import DayBudget
from jobs.spec.base import MAX_PIXELS


@dataclass(frozen=True)
class SchedulerSettings:
    """How a scheduler serves its store.

    lease_seconds: seconds until a holder that stops renewing counts as dead.
    checkpoint_seconds: the shortest time between two checkpoints within an octave.
    min_gain: see MIN_GAIN.
    poll: seconds between two scans of the store.
    until_idle: whether to stop when no work is left.
    ray: HOST:PORT of a cluster; None starts a private Ray on this machine for each job.
    allow: folders and `s3://` addresses, besides the store, that jobs may read.
    max_pixels: the largest `limits.max_pixels` of a job.
    price: US dollars for a worker and hour; None: by the list of `plan`.
    budget: what the jobs of the store may spend a day.
    addresses: where to send a word when a job ends.
    log: the format of the coordinators' logs.
    clock: monotonic seconds.
    """

    lease_seconds: float = 60.0
    checkpoint_seconds: float = 60.0
    min_gain: float = MIN_GAIN
    poll: float = 5.0
    until_idle: bool = False
    ray: str | None = None
    allow: tuple[str, ...] = ()
    max_pixels: int = MAX_PIXELS
    price: float | None = None
    budget: DayBudget = field(default_factory=DayBudget)
    addresses: tuple[Address, ...] = ()
    log: LogFormat = "text"
    clock: Callable[[], float] = time.monotonic

    def coordinator_config(
        self, store: str, lease: HeldLease, assignment: Assignment, scratch: Path
    ) -> CoordinatorConfig:
        """The configuration for a job's coordinator.

        store: the address. lease: of the job. scratch: an empty folder for the coordinator.
        """
        return CoordinatorConfig(
            store=store,
            job=lease.keys.job,
            lease_number=lease.number,
            token=lease.token,
            holder=lease.holder,
            ttl=lease.ttl,
            ray=self.ray,
            cores=assignment.planned.cores,
            gpus=len(assignment.planned.gpus),
            memory=assignment.memory,
            checkpoint_seconds=self.checkpoint_seconds,
            allow=self.allow,
            max_pixels=self.max_pixels,
            min_gain=self.min_gain,
            scratch=scratch,
            price=self.price,
            budget=self.budget.reason,
            is_priced=self.budget.usd is not None,
            audience=audience_of(self.addresses),
            log=self.log,
        )
