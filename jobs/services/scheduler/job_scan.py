"""Finds the open jobs of a store by their markers, and those to leave alone for a while."""

from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field

from jobs.notify.notice import Notices
from jobs.records.job import StoredJob, attempt_job, blocked_markers, load_job
from jobs.records.keys import ACTIVE, active_marker, parse_active_marker, parse_notice_marker
from jobs.records.state import ENDED, State
from jobs.records.stored_spec import RunSettings
from jobs.runtime.logs import Notify
from jobs.services.scheduler.assignment import priority_of
from jobs.store.store import Store, store_time
from jobs.text.errors import JobNotFound, JobsError


@dataclass
class ScanResult:
    """The open jobs of a store.

    states: of all open jobs. queued: the jobs to start, in this order. running_elsewhere: the
    number of jobs that other schedulers run. queue_age: seconds since the submission of the oldest
    queued job, whether or not this scheduler would start it; 0 without queued jobs. notices: the
    keys of those that are still to be sent.
    """

    states: list[State] = field(default_factory=list)
    queued: list[StoredJob] = field(default_factory=list)
    running_elsewhere: int = 0
    queue_age: float = 0.0
    notices: list[str] = field(default_factory=list)


_MAX_DELAY = 60.0
"""Seconds between two attempts at a job whose coordinators keep dying, at most."""


class Backoff:
    """One scheduler's record of failed attempts, unsuitable jobs and expired leases.

    clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures: dict[str, int] = {}
        self._retry_at: dict[str, float] = {}
        self._given_up: dict[str, tuple[int, RunSettings | None]] = {}
        self._expired: dict[str, tuple[int, float]] = {}

    def record_failure(self, job: str) -> None:
        """Note that a job's coordinator died or stopped; each failure doubles the delay."""
        failures = self._failures[job] = self._failures.get(job, 0) + 1
        self._retry_at[job] = self._clock() + min(_MAX_DELAY, 0.5 * 2**failures)

    def give_up(self, job: StoredJob) -> None:
        """Leave a job to other machines until it is retried, or its run settings change."""
        self._given_up[job.id] = (job.intent.generation, job.run_settings)

    def is_given_up(self, job: StoredJob) -> bool:
        """Whether `give_up` still applies to a job."""
        return self._given_up.get(job.id) == (job.intent.generation, job.run_settings)

    def must_wait(self, job: StoredJob) -> bool:
        """Whether a queued job should not be claimed yet.

        An expired lease is claimed only half a lease time after this scheduler first saw it
        expired. After an outage of the store its holder is still alive, and needs time to renew.
        """
        if self._clock() < self._retry_at.get(job.id, 0.0):
            return True
        current = job.current_lease
        if current is None or current.lease.released:
            self._expired.pop(job.id, None)
            return False
        number, since = self._expired.get(job.id, (0, 0.0))
        if number != current.number:
            number, since = self._expired[job.id] = current.number, self._clock()
        return self._clock() - since < current.lease.ttl / 2


class JobScan:
    """Scans a store for one scheduler.

    backoff: knows which jobs the scheduler has given up. is_stopping: whether to end a scan early.
    notices: writes what is to be said about a job.
    """

    def __init__(
        self,
        store: Store,
        backoff: Backoff,
        notify: Notify,
        is_stopping: Callable[[], bool],
        notices: Notices,
    ) -> None:
        self._store, self._backoff, self._notices = store, backoff, notices
        self._notify, self._is_stopping = notify, is_stopping
        self._reported: dict[str, str] = {}

    def scan(self, own: Container[str]) -> ScanResult:
        """Find all open jobs. A job that cannot be handled is left alone.

        Raises StoreError if the store itself is at fault.

        own: ids of the jobs that this scheduler runs; their records are not read.
        """
        result = ScanResult()
        for name, generation in self._markers(result):
            if name in own:
                result.states.append("running")
                continue
            if self._is_stopping():
                break
            self._handle(name, generation, result)
        for name, error in blocked_markers(self._store):
            if self._is_open(name):
                self.leave_alone(name, error)
        result.queued.sort(key=lambda job: (-priority_of(job), -job.age, job.id))
        return result

    def _handle(self, name: str, generation: int, result: ScanResult) -> None:
        """Load a job and add it to the result, or leave it alone."""
        error = attempt_job(
            self._store, name, lambda: self._load_and_add(name, generation, result), store_time
        )
        if isinstance(error, JobsError):
            self.leave_alone(name, error)
        else:
            self._reported.pop(name, None)

    def _is_open(self, name: str) -> bool:
        """Whether a job has not ended; not if it has no readable records."""
        job = attempt_job(self._store, name, lambda: load_job(self._store, name), store_time)
        return isinstance(job, StoredJob) and job.state not in ENDED

    def leave_alone(self, name: str, error: JobsError) -> None:
        """Tell the operator why a job is left alone, once for each reason."""
        line = f"{error} (left alone)"
        if self._reported.get(name) != line:
            self._notify("left alone", line, name)
        self._reported[name] = line

    def _load_and_add(self, name: str, generation: int, result: ScanResult) -> None:
        try:
            job = load_job(self._store, name)
        except JobNotFound:
            # Submit writes the spec first and the marker last, so the job has been deleted.
            self._store.delete([active_marker(name, generation)])
            return
        # The scheduler asks for it again; what fails must fail here.
        priority_of(job)
        self._add(job, generation, result)

    def _add(self, job: StoredJob, generation: int, result: ScanResult) -> None:
        """Add a job to the result, or correct its marker."""
        if job.intent.generation > generation:
            self._renew_marker(job, generation)
            return
        has_ended = job.state in ENDED
        key = self._notices.end(job, generation) if has_ended else self._notices.add(job)
        if key is not None and key not in result.notices:
            result.notices.append(key)
        if has_ended:
            return
        result.states.append(job.state)
        if job.state == "running":
            result.running_elsewhere += 1
        elif job.state == "queued":
            result.queue_age = max(result.queue_age, job.age)
            if not self._backoff.is_given_up(job):
                result.queued.append(job)

    def _markers(self, result: ScanResult) -> Iterator[tuple[str, int]]:
        """The id and generation in each marker. Adds the notices among them to the result."""
        keys = [entry.key for entry in self._store.list_objects(ACTIVE)]
        result.notices += [key for key in keys if parse_notice_marker(key)]
        for key in keys:
            marker = parse_active_marker(key)
            if marker:
                yield marker

    def _renew_marker(self, job: StoredJob, generation: int) -> None:
        """Replace the marker of a generation that a retry has ended; the new one comes first."""
        self._store.put_if_absent(active_marker(job.id, job.intent.generation), b"")
        self._store.delete([active_marker(job.id, generation)])
