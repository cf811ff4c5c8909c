"""The scheduler: finds the store's jobs, claims them one by one, and starts a process for each.

Any number of schedulers may serve one store. None knows of the others but through leases, and none
keeps anything that another could not find out: it may die at any time.
"""

import os
import socket
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cluster.errors import ClusterUnreachable
from jobs.records.job import Job, load_job
from jobs.records.keys import JobKeys
from jobs.records.lease import CurrentLease, claim_lease, current_lease
from jobs.records.state import State
from jobs.runtime.elastic_sizing import MIN_GAIN
from jobs.runtime.lease_renewer import EXIT_STOPPED
from jobs.runtime.logs import LogFormat, Notify
from jobs.runtime.metrics.exporter import MetricsExporter
from jobs.runtime.scratch import SCRATCH_PREFIX
from jobs.services.scheduler.capacity import Ask, ResourceShare, TotalCapacity, minus, share_for
from jobs.services.scheduler.coordinator import UNFIT
from jobs.services.scheduler.coordinator_process import (
    CoordinatorConfig,
    CoordinatorProcess,
    Launch,
    start,
)
from jobs.services.scheduler.job_scan import Backoff, JobScan
from jobs.services.scheduler.requirements import (
    WRITER,
    asked_memory,
    is_dreamed,
    priority_of,
    terms_of,
)
from jobs.spec.base import MAX_PIXELS
from jobs.store.errors import LinkOutsideStore, StoreError
from jobs.store.store import Store
from jobs.text.errors import InvalidRecord, RequestError

_TICK = 0.2
"""Seconds between two looks at the coordinators."""


_PARTING = 28.0
"""Seconds that coordinators have to leave in."""


@dataclass(frozen=True)
class Settings:
    """How a scheduler serves its store.

    lease: seconds after which a holder that does not renew is taken for dead. checkpoint: seconds
    between two within an octave, at the least. poll: between two looks at the store. ray: HOST:PORT
    of a cluster; None starts a private Ray for each job on this machine. allow: the places, besides
    the store, that jobs may read. max_pixels: the most that a job may allow itself. log: how
    coordinators log. min_gain: see MIN_GAIN. clock: seconds that only grow.
    """

    lease: float = 60.0
    checkpoint: float = 60.0
    min_gain: float = MIN_GAIN
    poll: float = 5.0
    until_idle: bool = False
    ray: str | None = None
    allow: tuple[str, ...] = ()
    max_pixels: int = MAX_PIXELS
    log: LogFormat = "text"
    clock: Callable[[], float] = time.monotonic


class Scheduler:
    """Serves one store from one machine.

    ask: what there is to work with. say, meters: tell the operator. launch: starts a coordinator.
    """

    def __init__(
        self,
        store: Store,
        ask: Ask,
        settings: Settings,
        say: Notify,
        meters: MetricsExporter,
        launch: Launch = start,
    ) -> None:
        self._store, self._ask, self._settings = store, ask, settings
        self._say, self._meters = say, meters
        self._launch, self._clock = launch, settings.clock
        self._coordinators: dict[str, CoordinatorProcess] = {}
        self._patience = Backoff(settings.clock)
        self._holder = f"{socket.gethostname()}:{os.getpid()}"
        self._stopping = False
        self._is_cut_off = False
        self._roll = JobScan(store, self._patience, say, lambda: self._stopping)
        self._complained: set[str] = set()

    def stop(self) -> None:
        """Have `run` return soon; for signal handlers."""
        self._stopping = True

    def run(self) -> None:
        """Serve until told to stop, or until nothing is left to do."""
        polled: float | None = None
        try:
            while not self._stopping:
                reaped = self.reap()
                if reaped or polled is None or self._clock() - polled >= self._settings.poll:
                    polled = self._clock()
                    if self.look_around() and self._settings.until_idle:
                        break
                time.sleep(_TICK)
        finally:
            self._part()

    def look_around(self) -> bool:
        """One look at the store; returns whether nothing is left to do."""
        try:
            found = self._roll.call(self._coordinators)
            self._meters.set_jobs(found.states, found.queue_age)
            self._take_what_fits(found.queued)
        except (StoreError, ClusterUnreachable) as error:
            self._meters.set_answers(False)
            if not self._is_cut_off:
                self._say("cut off", f"{error}; trying again")
            self._is_cut_off = True
            return False
        self._meters.set_answers(True)
        if self._is_cut_off:
            self._say("reached", "all answer again")
        self._is_cut_off = False
        open_still = [job for job in found.queued if not self._patience.is_given_up(job)]
        return not (open_still or found.others or self._coordinators)

    def _take_what_fits(self, queued: list[Job]) -> None:
        """Start jobs in their order, until one has to wait for the room that it needs.

        None overtakes it then: smaller ones would keep it waiting for ever.
        """
        waiting = [job for job in queued if not self._patience.waits(job)]
        if not waiting:
            return
        whole = self._ask([coordinator.share for coordinator in self._coordinators.values()])
        free, memory = whole.free, whole.memory
        for job in waiting:
            if self._stopping:
                return
            crew = terms_of(job).crew
            largest = share_for(crew, whole.share, whole.share)
            if largest is None:
                self._leave_alone(job, whole)
                continue
            share = share_for(WRITER if is_dreamed(job) else crew, whole.share, free)
            if share is None:
                self._make_room(job)
                return
            # What has only files to write is planned like any other, and starts no crew then.
            planned_for = largest if is_dreamed(job) else share
            granted = memory * planned_for.cores // whole.share.cores
            if self._start(job, share, planned_for, max(granted, asked_memory(crew))):
                free = minus(free, [share])

    def _leave_alone(self, job: Job, whole: TotalCapacity) -> None:
        """A job that is too large for all there is: for good, unless machines may join."""
        if whole.is_fixed or self._settings.until_idle:
            told = f"{job.id}: needs more than there is here; left to others"
            self._say("too large", told, job.id)
            self._patience.give_up(job)
        elif job.id not in self._complained:
            told = f"{job.id}: needs more than the cluster has; waits for machines to join"
            self._say("waits", told, job.id)
            self._complained.add(job.id)

    def _start(
        self, job: Job, share: ResourceShare, planned_for: ResourceShare, memory: int
    ) -> bool:
        """Claim a job and start its coordinator; False where another was faster.

        planned_for: what its crew may ask for, should it need one.
        """
        # It comes first, since a claim that nobody follows up keeps others waiting.
        scratch = Path(tempfile.mkdtemp(prefix=SCRATCH_PREFIX))
        before = job.current_lease.number if job.current_lease else 0
        try:
            lease = claim_lease(
                self._store, JobKeys(job.id), before, self._holder, self._settings.lease
            )
        except LinkOutsideStore as error:
            self._say("left alone", f"{error} (left alone)", job.id)
            self._patience.give_up(job)
            lease = None
        if lease is None:
            scratch.rmdir()
            return False
        config = CoordinatorConfig(
            store=self._store.address,
            job=job.id,
            number=lease.number,
            token=lease.token,
            holder=lease.holder,
            ttl=lease.ttl,
            ray=self._settings.ray,
            cores=planned_for.cores,
            gpus=len(planned_for.gpus),
            memory=memory,
            checkpoint_seconds=self._settings.checkpoint,
            allow=self._settings.allow,
            max_pixels=self._settings.max_pixels,
            min_gain=self._settings.min_gain,
            scratch=scratch,
            log=self._settings.log,
        )
        self._coordinators[job.id] = self._launch(config, lease, share, job)
        self._say("started", f"{job.id}: started (lease {lease.number})", job.id)
        return True

    def _make_room(self, job: Job) -> None:
        """Have the least important of our jobs step aside, if it is less important."""
        if any(coordinator.yields for coordinator in self._coordinators.values()):
            return
        least = min(
            self._coordinators.values(), key=lambda coordinator: coordinator.priority, default=None
        )
        if least is not None and least.priority < priority_of(job):
            self._say("steps aside", f"{least.job}: steps aside for {job.id}", least.job)
            least.yield_job()

    def reap(self) -> bool:
        """Take note of what coordinators say, and of those that have ended.

        Returns whether others may use what any of them used.
        """
        before = [coordinator.share for coordinator in self._coordinators.values()]
        for coordinator in self._coordinators.values():
            self._hear(coordinator)
        has_room = before != [coordinator.share for coordinator in self._coordinators.values()]
        ended = [
            coordinator
            for coordinator in self._coordinators.values()
            if coordinator.process.poll() is not None
        ]
        for coordinator in ended:
            del self._coordinators[coordinator.job]
            # Its last words may have come after the last look.
            self._hear(coordinator)
            coordinator.clean_up()
            died = coordinator.process.returncode not in (0, UNFIT) and not self._stopping
            self._meters.end_job(coordinator.job, self._state_left(coordinator), died=died)
        return bool(ended) or has_room

    def _hear(self, coordinator: CoordinatorProcess) -> None:
        readings = coordinator.read_metrics()
        if readings is not None:
            self._meters.add_snapshot(coordinator.job, readings)

    def _state_left(self, coordinator: CoordinatorProcess) -> State | None:
        """What became of the job of a coordinator that has ended; None where the store does not say."""
        code = coordinator.process.returncode
        if code == UNFIT:
            self._patience.give_up(coordinator.started_job)
        elif code != 0:
            self._patience.failed(coordinator.job)
        try:
            left = current_lease(self._store, coordinator.lease.keys)
            if _is_still_held(left, coordinator):
                # It died with the lease; nobody else need wait for it to run out.
                coordinator.lease.release()
            job = load_job(self._store, coordinator.job)
        except (StoreError, InvalidRecord, RequestError) as error:
            self._say(
                "ended",
                f"{coordinator.job}: its process ended with {code}; {error}",
                coordinator.job,
            )
            return None
        reason = f": {job.status.reason}" if job.status and job.status.reason else ""
        died = f" (its process ended with {code})" if code not in (0, EXIT_STOPPED, UNFIT) else ""
        self._say(job.state, f"{job.id}: {job.state}{reason}{died}", job.id)
        return job.state

    def _part(self) -> None:
        """Leave: every coordinator lets its job go, with what it has."""
        for coordinator in self._coordinators.values():
            coordinator.drain()
        deadline = self._clock() + _PARTING
        while self._coordinators and self._clock() < deadline:
            self.reap()
            time.sleep(_TICK)
        for coordinator in self._coordinators.values():
            coordinator.process.kill()
            coordinator.process.wait()
        self.reap()


def _is_still_held(left: CurrentLease | None, coordinator: CoordinatorProcess) -> bool:
    return (
        left is not None
        and left.number == coordinator.lease.number
        and left.lease.token == coordinator.lease.token
        and not left.lease.released
    )
