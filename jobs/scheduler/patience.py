"""Which queued jobs a scheduler leaves alone for a while, and why."""

from collections.abc import Callable

from jobs.lifecycle.job import Job
from jobs.lifecycle.terms import Terms

_LONGEST = 60.0
"""Seconds between two attempts at a job whose coordinators keep dying."""


class Patience:
    """One scheduler's memory of what did not work, and of leases that it has seen run out."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._deaths: dict[str, int] = {}
        self._until: dict[str, float] = {}
        self._unfit: dict[str, tuple[int, Terms | None]] = {}
        self._expired: dict[str, tuple[int, float]] = {}

    def failed(self, job: str) -> None:
        """Its coordinator died or gave up; wait longer each time."""
        deaths = self._deaths[job] = self._deaths.get(job, 0) + 1
        self._until[job] = self._clock() + min(_LONGEST, 0.5 * 2**deaths)

    def give_up(self, job: Job) -> None:
        """This machine is too small for it, or of the wrong kind; on these terms."""
        self._unfit[job.id] = (job.intent.generation, job.terms)

    def is_given_up(self, job: Job) -> bool:
        """Whether it waits for another machine, or other terms."""
        return self._unfit.get(job.id) == (job.intent.generation, job.terms)

    def waits(self, job: Job) -> bool:
        """Whether a queued job should not be claimed yet.

        A lease that has run out is claimed only when it has been seen so for a while: after an
        outage of the store its holder is alive, and needs a moment to renew.
        """
        if self._clock() < self._until.get(job.id, 0.0):
            return True
        left = job.standing
        if left is None or left.lease.released:
            self._expired.pop(job.id, None)
            return False
        number, since = self._expired.get(job.id, (0, 0.0))
        if number != left.number:
            number, since = self._expired[job.id] = left.number, self._clock()
        return self._clock() - since < left.lease.ttl / 2
