"""One pool's work on a dataset: its items, and what is to be done with their results."""

import time
from collections.abc import Callable, Iterator

from cluster.pool import Failed, Finished, Pool, Quarantined, Task
from jobs.dataset.ledger.rows import Row
from jobs.dataset.ledger_writer import Books
from jobs.dataset.post_tasks import Chores
from jobs.planning.dataset import DatasetPlan
from jobs.records.state import Failure
from jobs.runtime.control import Control
from jobs.runtime.failures import failure_of, trace_of
from jobs.runtime.logs import LOG, facts
from jobs.text.errors import TooManyFailures

_TICK = 0.5
"""Seconds between two looks at what is wanted, while items run."""


_FLUSH = 5.0
"""Seconds of work whose rows may be lost with the holder; their items are then done again."""


_BLAMELESS = 50
"""Items in a row that may fail for no fault of theirs, before all is taken to be out of order.

The job is let go, and later begins with the same items: so many that are out of reach for ever hold
it up."""


class Shift:
    """Hands out what is due and writes down what comes of it, until all is done.

    lease, generation: under which it works. fence: raises LeaseLost where that does not count any
    more. watch: called with each look at the clock.

    `run` raises Stopped where `control` says so, TooManyFailures, and what is neither an item's
    fault nor to be cured by trying it elsewhere.
    """

    def __init__(
        self,
        plan: DatasetPlan,
        books: Books,
        pool: Pool,
        control: Control,
        lease: int,
        generation: int,
        fence: Callable[[], None],
        watch: Callable[[], None],
    ) -> None:
        self._plan, self._books, self._pool, self._control = plan, books, pool, control
        self._lease, self._generation, self._watch = lease, generation, watch
        self._chores = Chores(plan, books, generation, fence)
        self._file_of: dict[int, int] = {}
        self._put_off: dict[int, int] = {}
        self._is_last_try = False
        self._blameless = 0
        self._flushed = time.monotonic()

    def run(self) -> None:
        """Do all that is due."""
        try:
            self._see_through(self._due())
            # By now what was out of reach may answer again.
            self._is_last_try = True
            self._see_through(self._due_still())
            if not self._control.wanted:
                self._chores.show()
            while self._chores.are_left:
                self._see_through(self._chores.waiting())
        finally:
            # What is known is worth keeping, however it ended.
            self._books.flush()
        if self._control.wanted:
            raise self._control.stopped()

    def _see_through(self, tasks: Iterator[Task]) -> None:
        for outcome in self._pool.run(tasks, _TICK):
            if outcome is not None:
                self._note(outcome)
            self._look_around()

    def _due(self) -> Iterator[Task]:
        """Items file by file; chores first, as they come up."""
        for file in self._books.inventory.files:
            if self._books.is_finished(file):
                continue
            found = self._books.open(file)
            if found.is_whole:
                # Nothing of it will be noted, which is where the others are finished.
                self._chores.finish(file, found)
                continue
            # Those of one variant together: they share a network, and on GPUs passes.
            for number in sorted(found.due, key=lambda one: (found.items[one].variant, one)):
                yield from self._chores.waiting()
                if self._control.wanted:
                    return
                yield self._task(number, file)

    def _due_still(self) -> Iterator[Task]:
        for number, file in self._put_off.items():
            if self._control.wanted:
                return
            yield self._task(number, file)

    def _task(self, number: int, file: int) -> Task:
        self._file_of[number] = file
        item = self._books.open_pages[file].items[number]
        return Task(number, "dream", (item.encoded(), file))

    def _note(self, outcome: Finished | Failed) -> None:
        if outcome.task_id < 0:
            self._chores.end(outcome)
            return
        file = self._file_of.pop(outcome.task_id)
        row = self._row(file, outcome)
        if row is None:
            self._put_off[outcome.task_id] = file
            return
        found = self._books.add(file, row.model_copy(update={"attempts": outcome.attempts}))
        if found.is_whole:
            self._chores.finish(file, found)
        self._check_failures()

    def _row(self, file: int, outcome: Finished | Failed) -> Row | None:
        """The item's row; None where it is to be tried once more, later."""
        if isinstance(outcome, Finished):
            self._blameless = 0
            return Row.decoded(outcome.value, "a worker's row")
        error, item = outcome.error, self._books.open_pages[file].items[outcome.task_id]
        kind = _failure_of_item(error)
        if kind == "infra":
            self._blameless += 1
            if self._blameless > _BLAMELESS or (self._is_last_try and not self._books.added):
                raise error
            if not self._is_last_try:
                return None
        known = facts(worker=outcome.member, item=item.found.key, failure=kind)
        LOG.error("item %s: %s failure: %s", item.found.key, kind, trace_of(error), extra=known)
        return Row(
            number=item.number,
            key=item.found.key,
            variant=item.variant,
            name=item.name,
            state="failed",
            input=item.found.place.address,
            failure=kind,
            message=_told(error, kind),
            lease=self._lease,
            generation=self._generation,
        )

    def _check_failures(self) -> None:
        most, failed = self._plan.spec.limits.max_failures, self._books.tally.failed.total()
        if most is not None and failed > most:
            raise TooManyFailures(
                f"{failed} items failed, and limits.max_failures is {most}; "
                f"`dreamfarm ledger {self._plan.identity.job_id} --failed` says why"
            )

    def _look_around(self) -> None:
        if self._control.must_leave:
            raise self._control.stopped()
        now = time.monotonic()
        if now - self._flushed >= _FLUSH:
            self._books.flush()
            self._flushed = now
        self._chores.show_now_and_then()
        self._watch()


def _failure_of_item(error: Exception) -> Failure:
    """The class of what even other workers could not do.

    What is the picture's own fault comes as a row: what is raised of weights, caches and disks is
    none of it.
    """
    if isinstance(error, Quarantined):
        return "memory" if error.is_for_memory else "input"
    kind = failure_of(error)
    return "infra" if kind == "input" else kind


def _told(error: Exception, kind: Failure) -> str:
    if kind == "memory":
        return f"out of memory ({error}); send it as a poster, or resize it"
    if kind == "bug":
        return f"unexpected {type(error).__name__}: {error}; `dreamfarm logs` has the trace"
    return str(error)
