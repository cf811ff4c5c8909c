"""The scheduler: finds the store's jobs, claims them, and starts a coordinator process for each.

Any number of schedulers may serve one store. They know each other only through leases. A scheduler
holds no state that another could not find out, so it may die at any time.
"""

import os
import socket
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from cluster.errors import ClusterUnreachable
from jobs.notify.address import audience_of
from jobs.notify.notice import Notices
from jobs.notify.notifier import Notifier, rules_for
from jobs.records.job import StoredJob, attempt_job, load_job
from jobs.records.keys import JobKeys
from jobs.records.lease import CurrentLease, HeldLease, claim_lease, current_lease
from jobs.records.state import State
from jobs.runtime.lease_renewer import EXIT_STOPPED
from jobs.runtime.logs import Notify
from jobs.runtime.metrics.exporter import MetricsExporter
from jobs.runtime.scratch import SCRATCH_PREFIX
from jobs.services.scheduler.assignment import Allocator, Assignment, priority_of
from jobs.services.scheduler.capacity import CapacityQuery, ResourceShare, TotalCapacity
from jobs.services.scheduler.coordinator import DONE, UNFIT
from jobs.services.scheduler.coordinator_process import (
    CoordinatorProcess,
    StartCoordinator,
    start_coordinator,
)
from jobs.services.scheduler.day_budget import Spendings, tell_why_they_wait
from jobs.services.scheduler.job_scan import Backoff, JobScan
from jobs.services.scheduler.settings import SchedulerSettings
from jobs.store.errors import ObjectError, StoreError
from jobs.store.store import Store, store_time
from jobs.text.errors import InvalidRecord, JobsError

_TICK = 0.2
"""Seconds between two checks of the coordinators."""


_SHUTDOWN_SECONDS = 28.0
"""Seconds that coordinators have to stop before they are killed."""


_LAST_WORDS = 2.0
"""Seconds for the notices that are being sent when `work` ends."""


class Scheduler:
    """Serves one store from one machine. What is wrong with one job stops no other.

    query_capacity: asks for the resources that there are. start: starts a coordinator.
    notify, exporter: tell the operator what happens.
    """

    def __init__(
        self,
        store: Store,
        query_capacity: CapacityQuery,
        settings: SchedulerSettings,
        notify: Notify,
        exporter: MetricsExporter,
        start: StartCoordinator = start_coordinator,
    ) -> None:
        self._store, self._query_capacity, self._settings = store, query_capacity, settings
        self._notify, self._exporter = notify, exporter
        self._start_coordinator, self._clock = start, settings.clock
        self._coordinators: dict[str, CoordinatorProcess] = {}
        self._backoff = Backoff(settings.clock)
        self._holder = f"{socket.gethostname()}:{os.getpid()}"
        self._stopping = False
        self._is_cut_off = False
        self._audience = audience_of(settings.addresses)
        self._notifier = Notifier(
            store, settings.addresses, rules_for(settings.lease_seconds), self._holder, notify
        )
        self._job_scan = JobScan(
            store,
            self._backoff,
            notify,
            lambda: self._stopping,
            Notices(store, self._audience),
        )
        self._reported: set[str] = set()
        self._spendings = Spendings(store, settings.budget, notify, settings.clock)

    def stop(self) -> None:
        """Make `run` return soon; for signal handlers."""
        self._stopping = True

    def run(self) -> None:
        """Serve until `stop` is called, or until no work is left if the settings say so."""
        scanned: float | None = None
        try:
            while not self._stopping:
                reaped = self.reap()
                if reaped or scanned is None or self._clock() - scanned >= self._settings.poll:
                    scanned = self._clock()
                    if self.scan() and self._settings.until_idle:
                        break
                time.sleep(_TICK)
        finally:
            self._shut_down()

    def scan(self) -> bool:
        """Scan the store once, and start the jobs that fit. Returns whether no work is left."""
        try:
            result = self._job_scan.scan(self._coordinators)
            self._notifier.offer(result.notices)
            self._exporter.set_jobs(result.states, result.queue_age)
            spent = self._spendings.check(is_busy=bool(result.queued or self._coordinators))
            if spent is not None:
                self._hold_jobs(result.queued, spent)
            else:
                self._start_jobs(result.queued)
        except (StoreError, ClusterUnreachable) as error:
            self._exporter.set_answers(False)
            if not self._is_cut_off:
                self._notify("cut off", f"{error}; trying again")
            self._is_cut_off = True
            return False
        self._exporter.set_answers(True)
        if self._is_cut_off:
            self._notify("reached", "the store and the cluster answer again")
        self._is_cut_off = False
        is_waiting = any(not self._backoff.is_given_up(job) for job in result.queued)
        may_start = is_waiting and spent is None
        is_busy = bool(self._coordinators) or self._notifier.is_busy
        return not (may_start or result.running_elsewhere or is_busy)

    def _start_jobs(self, queued: list[StoredJob]) -> None:
        """Start jobs in their order, until one has to wait for resources.

        No job overtakes a waiting one; otherwise smaller jobs could keep it waiting for ever.
        """
        ready = [job for job in queued if not self._backoff.must_wait(job)]
        if not ready:
            return
        capacity = self._query_capacity(self._resources_in_use())
        allocator = Allocator(capacity)
        for job in ready:
            if self._stopping:
                return
            if not allocator.can_fit(job):
                self._skip_oversized(job, capacity)
                continue
            assignment = allocator.assign(job)
            if assignment is None:
                self._preempt_for(job)
                return
            if self._start(job, assignment):
                allocator.reserve(assignment)

    def _hold_jobs(self, queued: list[StoredJob], reason: str) -> None:
        """Make the own jobs stop at their next step, and tell the next queued ones the reason."""
        for coordinator in self._coordinators.values():
            # One that has just started may not know the signal yet.
            if self._spendings.has_counted(coordinator.job):
                coordinator.hold()
        ready = [job for job in queued if not self._backoff.must_wait(job)]
        tell_why_they_wait(self._store, ready, reason, self._claim, self._leave)

    def _skip_oversized(self, job: StoredJob, capacity: TotalCapacity) -> None:
        """Skip a job that exceeds the total capacity: for good, unless machines may join."""
        if capacity.is_fixed or self._settings.until_idle:
            line = f"{job.id}: needs more than there is here; left to other schedulers"
            self._notify("too large", line, job.id)
            self._backoff.give_up(job)
        elif job.id not in self._reported:
            line = f"{job.id}: needs more than the cluster has; waits for machines to join"
            self._notify("waits", line, job.id)
            self._reported.add(job.id)

    def _start(self, job: StoredJob, assignment: Assignment) -> bool:
        """Claim a job and start its coordinator. Returns False if that is not possible now."""
        try:
            # Create the folder before the claim: if it failed after, the lease would block others.
            scratch = Path(tempfile.mkdtemp(prefix=SCRATCH_PREFIX))
        except OSError as error:
            self._report_no_start(job, error)
            return False
        try:
            lease = self._claim(job)
            if lease is None or not self._start_claimed(job, assignment, lease, scratch):
                scratch.rmdir()
                return False
        except StoreError:
            scratch.rmdir()
            raise
        return True

    def _start_claimed(
        self, job: StoredJob, assignment: Assignment, lease: HeldLease, scratch: Path
    ) -> bool:
        """Start the coordinator of a claimed job. If this machine cannot, release the job."""
        config = self._settings.coordinator_config(self._store.address, lease, assignment, scratch)
        try:
            coordinator = self._start_coordinator(config, lease, assignment.share, job)
        except OSError as error:
            self._report_no_start(job, error)
            lease.release()
            return False
        self._coordinators[job.id] = coordinator
        self._notify("started", f"{job.id}: started (lease {lease.number})", job.id)
        message = self._audience.unknown_names(job.notify)
        if message is not None:
            self._notify("notify", f"{job.id}: {message}", job.id)
        return True

    def _report_no_start(self, job: StoredJob, error: OSError) -> None:
        """Say why this machine cannot start a job now: a full disk, or no process is left."""
        self._notify(
            "no start", f"{job.id}: cannot be started here ({error}); trying again", job.id
        )
        self._backoff.record_failure(job.id)

    def _claim(self, job: StoredJob) -> HeldLease | None:
        """Claim the next lease of a job. Returns None if the job cannot be claimed."""
        number = job.current_lease.number if job.current_lease else 0
        ttl = self._settings.lease_seconds
        claimed = attempt_job(
            self._store,
            job.id,
            lambda: claim_lease(self._store, JobKeys(job.id), number, self._holder, ttl),
            store_time,
        )
        if not isinstance(claimed, JobsError):
            return claimed
        self._leave(job, claimed)
        return None

    def _leave(self, job: StoredJob, error: JobsError) -> None:
        """Leave a job alone that cannot be claimed, and say why."""
        self._job_scan.leave_alone(job.id, error)
        if isinstance(error, ObjectError | InvalidRecord):
            self._backoff.give_up(job)
        else:
            # It may pass, as expired credentials do.
            self._backoff.record_failure(job.id)

    def _preempt_for(self, job: StoredJob) -> None:
        """Preempt the own job with the lowest priority, if that is lower than this job's."""
        if any(coordinator.is_preempted for coordinator in self._coordinators.values()):
            return
        lowest = min(
            self._coordinators.values(), key=lambda coordinator: coordinator.priority, default=None
        )
        if lowest is not None and lowest.priority < priority_of(job):
            self._notify("steps aside", f"{lowest.job}: steps aside for {job.id}", lowest.job)
            lowest.preempt()

    def _resources_in_use(self) -> list[ResourceShare]:
        """The resources that the jobs of this scheduler use."""
        return [coordinator.share for coordinator in self._coordinators.values()]

    def reap(self) -> bool:
        """Read the coordinators' metrics, and remove the coordinators that have ended.

        Returns whether resources have become free.
        """
        before = self._resources_in_use()
        for coordinator in self._coordinators.values():
            self._read_metrics(coordinator)
        has_shrunk = before != self._resources_in_use()
        ended = [one for one in self._coordinators.values() if one.process.poll() is not None]
        for coordinator in ended:
            del self._coordinators[coordinator.job]
            # The last metrics may have come after the last read.
            self._read_metrics(coordinator)
            self._spendings.end(coordinator.job)
            coordinator.clean_up()
            has_failed = coordinator.process.returncode not in (DONE, UNFIT) and not self._stopping
            self._exporter.end_job(
                coordinator.job, self._final_state(coordinator), has_failed=has_failed
            )
        return bool(ended) or has_shrunk

    def _read_metrics(self, coordinator: CoordinatorProcess) -> None:
        snapshot = coordinator.read_metrics()
        if snapshot is not None:
            self._exporter.add_snapshot(coordinator.job, snapshot)
            self._spendings.add(coordinator.job, snapshot.spent)

    def _final_state(self, coordinator: CoordinatorProcess) -> State | None:
        """Report the state that an ended coordinator left. None if the store does not answer."""
        code = coordinator.process.returncode
        if code == UNFIT:
            self._backoff.give_up(coordinator.job_at_start)
        elif code != DONE:
            self._backoff.record_failure(coordinator.job)
        job: StoredJob | JobsError
        try:
            job = attempt_job(
                self._store, coordinator.job, lambda: self._release_dead(coordinator), store_time
            )
        except StoreError as error:
            job = error
        if isinstance(job, JobsError):
            line = f"{coordinator.job}: its process ended with {code}; {job}"
            self._notify("ended", line, coordinator.job)
            return None
        reason = f": {job.status.reason}" if job.status and job.status.reason else ""
        is_expected = code in (DONE, EXIT_STOPPED, UNFIT)
        ending = "" if is_expected else f" (its process ended with {code})"
        self._notify(job.state, f"{job.id}: {job.state}{reason}{ending}", job.id)
        return job.state

    def _release_dead(self, coordinator: CoordinatorProcess) -> StoredJob:
        """Release the lease that an ended coordinator still holds, and load its job."""
        if _still_holds(current_lease(self._store, coordinator.lease.keys), coordinator):
            # The coordinator died with the lease. Others need not wait until it expires.
            coordinator.lease.release()
        return load_job(self._store, coordinator.job)

    def _shut_down(self) -> None:
        """Make all coordinators stop; kill those that take too long."""
        self._notifier.stop()
        for coordinator in self._coordinators.values():
            coordinator.shut_down()
        deadline = self._clock() + _SHUTDOWN_SECONDS
        while self._coordinators and self._clock() < deadline:
            self.reap()
            time.sleep(_TICK)
        for coordinator in self._coordinators.values():
            coordinator.process.kill()
            coordinator.process.wait()
        self.reap()
        with suppress(StoreError, ObjectError):
            self._spendings.flush()
        self._notifier.join(_LAST_WORDS)
        if left := self._notifier.waiting:
            line = f"notices that are not sent yet: {left}; the next `work` here sends them"
            self._notify("notify", line)


def _still_holds(current: CurrentLease | None, coordinator: CoordinatorProcess) -> bool:
    return (
        current is not None
        and current.number == coordinator.lease.number
        and current.lease.token == coordinator.lease.token
        and not current.lease.released
    )
