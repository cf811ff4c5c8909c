"""The store's open jobs, as one look at their markers finds them."""

from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field

from jobs.records.job import Job, load_job
from jobs.records.keys import ACTIVE, active_marker, parse_active_marker
from jobs.records.state import ENDED, State
from jobs.records.stored_spec import RunSettings
from jobs.runtime.logs import Notify
from jobs.services.scheduler.requirements import priority_of
from jobs.store.errors import StoreRefused
from jobs.store.store import Store
from jobs.text.errors import InvalidRecord, JobNotFound, RequestError

_LONGEST = 60.0
"""Seconds between two attempts at a job whose coordinators keep dying."""


class Backoff:
    """One scheduler's memory of what did not work, and of leases that it has seen run out."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._deaths: dict[str, int] = {}
        self._until: dict[str, float] = {}
        self._unfit: dict[str, tuple[int, RunSettings | None]] = {}
        self._expired: dict[str, tuple[int, float]] = {}

    def failed(self, job: str) -> None:
        """Its coordinator died or gave up; wait longer each time."""
        deaths = self._deaths[job] = self._deaths.get(job, 0) + 1
        self._until[job] = self._clock() + min(_LONGEST, 0.5 * 2**deaths)

    def give_up(self, job: Job) -> None:
        """This machine is too small for it, or of the wrong kind; on these terms."""
        self._unfit[job.id] = (job.intent.generation, job.run_settings)

    def is_given_up(self, job: Job) -> bool:
        """Whether it waits for another machine, or other terms."""
        return self._unfit.get(job.id) == (job.intent.generation, job.run_settings)

    def waits(self, job: Job) -> bool:
        """Whether a queued job should not be claimed yet.

        A lease that has run out is claimed only when it has been seen so for a while: after an
        outage of the store its holder is alive, and needs a moment to renew.
        """
        if self._clock() < self._until.get(job.id, 0.0):
            return True
        left = job.current_lease
        if left is None or left.lease.released:
            self._expired.pop(job.id, None)
            return False
        number, since = self._expired.get(job.id, (0, 0.0))
        if number != left.number:
            number, since = self._expired[job.id] = left.number, self._clock()
        return self._clock() - since < left.lease.ttl / 2


@dataclass
class ScanResult:
    """What was found. states: of all open jobs. queued: those to be taken, the first one first.

    others: jobs that somebody else is rendering. queue_age: seconds since the oldest queued job was
    submitted, whether it is to be taken here or not; 0 where there is none.
    """

    states: list[State] = field(default_factory=list)
    queued: list[Job] = field(default_factory=list)
    others: int = 0
    queue_age: float = 0.0


class JobScan:
    """Calls a store's roll for one scheduler.

    patience: knows which jobs it leaves alone. is_stopping: whether the rest does not matter.
    """

    def __init__(
        self, store: Store, patience: Backoff, say: Notify, is_stopping: Callable[[], bool]
    ) -> None:
        self._store, self._patience = store, patience
        self._say, self._is_stopping = say, is_stopping
        self._complained: set[str] = set()

    def call(self, mine: Container[str]) -> ScanResult:
        """All open jobs; those that are ours to render already are not looked at."""
        found = ScanResult()
        for name, generation in self._marked():
            if name in mine:
                found.states.append("running")
                continue
            if self._is_stopping():
                break
            job = self._seen(name, generation)
            if job is not None:
                self._sort(job, generation, found)
        found.queued.sort(key=lambda job: (-priority_of(job), -job.age, job.id))
        return found

    def _sort(self, job: Job, generation: int, found: ScanResult) -> None:
        if job.intent.generation > generation:
            self._renew_marker(job, generation)
            return
        if job.state in ENDED:
            self._store.delete([active_marker(job.id, generation)])
            return
        found.states.append(job.state)
        if job.state == "running":
            found.others += 1
        elif job.state == "queued":
            found.queue_age = max(found.queue_age, job.age)
            if not self._patience.is_given_up(job):
                found.queued.append(job)

    def _marked(self) -> Iterator[tuple[str, int]]:
        for entry in list(self._store.list_objects(ACTIVE)):
            found = parse_active_marker(entry.key)
            if found:
                yield found

    def _renew_marker(self, job: Job, generation: int) -> None:
        """Delete the marker of a generation that `retry` has ended, once the next one is there."""
        self._store.put_if_absent(active_marker(job.id, job.intent.generation), b"")
        self._store.delete([active_marker(job.id, generation)])

    def _seen(self, name: str, generation: int) -> Job | None:
        """The job; None, and one complaint, where something else lies in its place."""
        try:
            job = load_job(self._store, name)
        except JobNotFound:
            # Who submits writes the spec first and the marker last: the job has been deleted.
            self._store.delete([active_marker(name, generation)])
        except (InvalidRecord, RequestError, StoreRefused) as error:
            if name not in self._complained:
                self._say("left alone", f"{error} (left alone)", name)
            self._complained.add(name)
        else:
            return job
        return None
