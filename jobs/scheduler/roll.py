"""The store's open jobs, as one look at their markers finds them."""

from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field

from jobs.errors import RequestError
from jobs.lifecycle.errors import BadRecord, NoSuchJob
from jobs.lifecycle.job import Job, look
from jobs.lifecycle.keys import ACTIVE, active, parse_active
from jobs.lifecycle.state import ENDED, State
from jobs.scheduler.asked import priority_of
from jobs.scheduler.patience import Patience
from jobs.store.errors import StoreRefused
from jobs.store.store import Store
from jobs.watching.say import Say


@dataclass
class Called:
    """What was found. states: of all open jobs. queued: those to be taken, the first one first.

    others: jobs that somebody else is rendering. queue_age: seconds since the oldest queued job was
    submitted, whether it is to be taken here or not; 0 where there is none.
    """

    states: list[State] = field(default_factory=list)
    queued: list[Job] = field(default_factory=list)
    others: int = 0
    queue_age: float = 0.0


class Roll:
    """Calls a store's roll for one scheduler.

    patience: knows which jobs it leaves alone. is_stopping: whether the rest does not matter.
    """

    def __init__(
        self, store: Store, patience: Patience, say: Say, is_stopping: Callable[[], bool]
    ) -> None:
        self._store, self._patience = store, patience
        self._say, self._is_stopping = say, is_stopping
        self._complained: set[str] = set()

    def call(self, mine: Container[str]) -> Called:
        """All open jobs; those that are ours to render already are not looked at."""
        found = Called()
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

    def _sort(self, job: Job, generation: int, found: Called) -> None:
        if job.intent.generation > generation:
            self._renew_marker(job, generation)
            return
        if job.state in ENDED:
            self._store.delete([active(job.id, generation)])
            return
        found.states.append(job.state)
        if job.state == "running":
            found.others += 1
        elif job.state == "queued":
            found.queue_age = max(found.queue_age, job.age)
            if not self._patience.is_given_up(job):
                found.queued.append(job)

    def _marked(self) -> Iterator[tuple[str, int]]:
        for entry in list(self._store.entries(ACTIVE)):
            found = parse_active(entry.key)
            if found:
                yield found

    def _renew_marker(self, job: Job, generation: int) -> None:
        """Delete the marker of a generation that `retry` has ended, once the next one is there."""
        self._store.put_if_absent(active(job.id, job.intent.generation), b"")
        self._store.delete([active(job.id, generation)])

    def _seen(self, name: str, generation: int) -> Job | None:
        """The job; None, and one complaint, where something else lies in its place."""
        try:
            job = look(self._store, name)
        except NoSuchJob:
            # Who submits writes the spec first and the marker last: the job has been deleted.
            self._store.delete([active(name, generation)])
        except (BadRecord, RequestError, StoreRefused) as error:
            if name not in self._complained:
                self._say("left alone", f"{error} (left alone)", name)
            self._complained.add(name)
        else:
            return job
        return None
