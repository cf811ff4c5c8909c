"""What a holder has its workers do besides items: tars of results, and the contact sheet."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cluster.pool import Failed, Finished, Task
from jobs.dataset.ledger_writer import Books, OpenPage
from jobs.dataset.worker_tasks import Binding, Exhibit, Sample, sample_key, shard_name
from jobs.planning.dataset import DatasetPlan
from jobs.runtime.logs import LOG

_SHEET = 20.0
"""Seconds between two contact sheets while the first items run."""


_MOST_COLUMNS = 16
"""Variants that have a column each on the sheet."""


@dataclass(frozen=True)
class _Bound:
    """An item file whose tar is being packed. before: the tars that it replaces."""

    file: int
    name: str
    before: tuple[str, ...]


class Chores:
    """Tasks with numbers below 0, and what follows when they are done.

    fence: raises LeaseLost where the lease does not count any more; asked before what a successor
    might still need is deleted.
    """

    def __init__(
        self, plan: DatasetPlan, books: Books, generation: int, fence: Callable[[], None]
    ) -> None:
        self._plan, self._books, self._generation, self._fence = plan, books, generation, fence
        self._ready: deque[Task] = deque()
        self._bound: dict[int, _Bound] = {}
        self._last = 0
        self._shown = time.monotonic()

    @property
    def are_left(self) -> bool:
        """Whether any wait to be handed out."""
        return bool(self._ready)

    def waiting(self) -> Iterator[Task]:
        """Those that are to be handed out."""
        while self._ready:
            yield self._ready.popleft()

    def finish(self, file: int, page: OpenPage) -> None:
        """Bring an item file to its end, all of whose items have rows."""
        if self._plan.spec.output.pack == "webdataset":
            self._bind(file, page)
        else:
            self._books.close(file)

    def end(self, outcome: Finished | Failed) -> None:
        """What follows when one has come back. Raises the error of one that has to be done."""
        bound = self._bound.pop(outcome.task_id, None)
        if isinstance(outcome, Failed):
            if bound is None:
                LOG.warning("the contact sheet is not made: %s", outcome.error)
                return
            raise outcome.error
        if bound is not None:
            self._books.pack(bound.file, bound.name)
            self._fence()
            self._books.forget(bound.file, bound.before)

    def show_now_and_then(self) -> None:
        """Have the contact sheet made while the first items run."""
        if self._books.is_beginning and time.monotonic() - self._shown >= _SHEET:
            self.show()

    def show(self) -> None:
        """Have the contact sheet made of the first rows that there are."""
        found = self._books.first(self._plan.spec.sheet)
        labels = self._plan.spec.labels
        variants, tally = len(self._plan.variants), self._books.tally
        is_alone = tally.items == variants
        exhibits = tuple(
            Exhibit(
                row.number, labels[row.variant] if labels and is_alone else row.name, row.message
            )
            for row in found
        )
        if exhibits:
            title = f"{self._plan.spec.name}: {tally.done} of {tally.items} done"
            has_rows = 1 < variants <= _MOST_COLUMNS and not is_alone
            self._put("show", exhibits, title, variants if has_rows else None)
        self._shown = time.monotonic()

    def _bind(self, file: int, page: OpenPage) -> None:
        name = shard_name(file, self._generation)
        done = [row for row in page.page.rows if row.state == "done"]
        before = tuple(sorted({row.output or "" for row in done} - {name}))
        samples = tuple(
            Sample(
                number=row.number,
                key=sample_key(page.items[row.number]),
                member=row.member or "",
                extras=page.items[row.number].found.extras,
            )
            for row in done
        )
        chore = self._put("bind", Binding(file, self._generation, before, samples))
        self._bound[chore] = _Bound(file, name, before)

    def _put(self, method: str, *arguments: object) -> int:
        self._last -= 1
        self._ready.append(Task(self._last, method, arguments))
        return self._last
