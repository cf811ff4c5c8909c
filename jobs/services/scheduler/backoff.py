"""When a scheduler leaves a queued job alone: after failures, and after an expired lease."""

from collections.abc import Callable

from jobs.records.job import StoredJob
from jobs.records.stored_spec import RunSettings

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
