"""One pool's work on a dataset: its items, and what is to be done with their results."""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator

from cluster.pool import Failed, Finished, Pool, Quarantined, Task
from jobs.dataset.binding import Binding, Sample, sample_key, shard_name
from jobs.dataset.books import Books, OpenPage
from jobs.dataset.display import Exhibit
from jobs.dataset.errors import TooManyFailures
from jobs.dataset.plan import DatasetPlan
from jobs.dataset.row import Row
from jobs.holding.failure import failure_of, trace_of
from jobs.lifecycle.status import Failure
from jobs.poster.control import Control

_log = logging.getLogger("dreamfarm")

_TICK = 0.5
"""Seconds between two looks at what is wanted, while items run."""

_FLUSH = 5.0
"""Seconds of work whose rows may be lost with the holder; their items are then done again."""

_SHEET = 20.0
"""Seconds between two contact sheets while the first items run."""

_MOST_COLUMNS = 16
"""Variants that have a column each on the sheet."""


class Shift:
    """Hands out what is due and writes down what comes of it, until all is done.

    lease, generation: under which it works. watch: called with each look at the clock.

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
        watch: Callable[[], None],
    ) -> None:
        self._plan, self._books, self._pool, self._control = plan, books, pool, control
        self._lease, self._generation, self._watch = lease, generation, watch
        self._chores: deque[Task] = deque()
        self._binding: dict[int, int] = {}
        self._file_of: dict[int, int] = {}
        self._next_chore = -1
        self._flushed = self._shown = time.monotonic()

    def run(self) -> None:
        """Do all that is due."""
        try:
            self._see_through(self._due())
            while self._chores:
                self._see_through(self._waiting())
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
        """Items in their order; chores first, as they come up."""
        for file in self._books.inventory.files:
            if self._books.is_finished(file):
                continue
            found = self._books.open(file)
            if found.is_whole:
                # Nothing of it will be noted, which is where the others are finished.
                self._finish(file, found)
                continue
            for number in sorted(found.due):
                yield from self._waiting()
                if self._control.wanted:
                    return
                self._file_of[number] = file
                yield Task(number, "dream", (found.items[number].encoded(), file))

    def _waiting(self) -> Iterator[Task]:
        while self._chores:
            yield self._chores.popleft()

    def _note(self, outcome: Finished | Failed) -> None:
        if outcome.task_id < 0:
            self._end_chore(outcome)
            return
        file = self._file_of.pop(outcome.task_id)
        row = self._row(file, outcome)
        found = self._books.add(file, row.model_copy(update={"attempts": outcome.attempts}))
        if found.is_whole:
            self._finish(file, found)
        self._check_failures()

    def _row(self, file: int, outcome: Finished | Failed) -> Row:
        if isinstance(outcome, Finished):
            return Row.decoded(outcome.value, "a worker's row")
        error, item = outcome.error, self._books.open_pages[file].items[outcome.task_id]
        kind = _failure_of_item(error)
        if kind == "infra":
            raise error
        _log.error("item %s: %s failure: %s", item.found.key, kind, trace_of(error))
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

    def _finish(self, file: int, found: OpenPage) -> None:
        """Bring an item file to its end, all of whose items have rows."""
        if file == 0:
            self._show(found)
        if self._plan.spec.output.pack == "webdataset":
            self._binding[self._put_chore("bind", self._bound(file, found))] = file
        else:
            self._books.close(file)

    def _bound(self, file: int, found: OpenPage) -> Binding:
        """What goes into its tar, of which its rows then speak."""
        name = shard_name(file, self._generation)
        done = [row for row in found.page.rows if row.state == "done"]
        before = {row.output for row in done} - {name}
        for row in done:
            found.page.add(row.model_copy(update={"output": name}))
        return Binding(
            file=file,
            generation=self._generation,
            before=before.pop() if before else None,
            samples=tuple(
                Sample(
                    number=row.number,
                    key=sample_key(found.items[row.number]),
                    member=row.member or "",
                    extras=found.items[row.number].found.extras,
                )
                for row in done
            ),
        )

    def _show(self, found: OpenPage) -> None:
        """Have the contact sheet made of the first rows that there are."""
        variants = len(self._plan.variants)
        shown = [row for row in found.page.rows if row.number < self._plan.spec.sheet]
        exhibits = tuple(Exhibit(found.items[row.number], row, 0) for row in shown)
        if exhibits:
            tally = self._books.tally
            title = f"{self._plan.spec.name}: {tally.done} of {tally.items} done"
            columns = variants if 1 < variants <= _MOST_COLUMNS else None
            self._put_chore("show", exhibits, title, columns)
        self._shown = time.monotonic()

    def _put_chore(self, method: str, *arguments: object) -> int:
        chore = self._next_chore
        self._next_chore -= 1
        self._chores.append(Task(chore, method, arguments))
        return chore

    def _end_chore(self, outcome: Finished | Failed) -> None:
        if isinstance(outcome, Failed):
            raise outcome.error
        file = self._binding.pop(outcome.task_id, None)
        if file is not None:
            self._books.close(file)
            self._books.forget_parts(file)

    def _look_around(self) -> None:
        if self._control.must_leave:
            raise self._control.stopped()
        now = time.monotonic()
        if now - self._flushed >= _FLUSH:
            self._books.flush()
            self._flushed = now
        first = self._books.open_pages.get(0)
        if first is not None and not first.is_whole and now - self._shown >= _SHEET:
            self._show(first)
        self._watch()


def _failure_of_item(error: Exception) -> Failure:
    """The class of what even other workers could not do."""
    if isinstance(error, Quarantined):
        return "memory" if error.is_for_memory else "input"
    return failure_of(error)


def _told(error: Exception, kind: Failure) -> str:
    if kind == "memory":
        return f"out of memory ({error}); send it as a poster, or resize it"
    if kind == "bug":
        return f"unexpected {type(error).__name__}: {error}; `dreamfarm logs` has the trace"
    return str(error)
