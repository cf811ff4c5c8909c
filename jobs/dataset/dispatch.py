"""Dispatching a dataset's items to a pool, and recording their outcomes in the ledger."""

import time
from collections.abc import Callable, Iterator

from cluster.errors import Quarantined
from cluster.pool import Pool
from cluster.task import Failed, Finished, Task
from jobs.dataset.ledger.rows import LedgerRow
from jobs.dataset.ledger.writer import LedgerWriter
from jobs.dataset.tasks import PostTasks
from jobs.planning.dataset import DatasetPlan
from jobs.records.lease import HeldLease
from jobs.records.status import FailureClass
from jobs.runtime.control import Control
from jobs.runtime.failures import failure_class, format_trace
from jobs.runtime.logs import LOG, log_fields
from jobs.text.errors import TooManyFailures

_TICK_SECONDS = 0.5
"""How often requests of users are checked while items run."""


_FLUSH_SECONDS = 5.0
"""How often rows are written. If the holder dies, the items of unwritten rows run again."""


_MAX_INFRA_FAILURES = 50
"""How many infra failures in a row mean that the whole system is broken.

The job is then released, and starts later with the same items. A job with more unreachable items
than this therefore never ends.
"""


class ItemDispatcher:
    """Runs all due items and their post tasks in one pool.

    lease: that of the holder. on_tick: called at least every half second while tasks run.
    """

    def __init__(
        self,
        plan: DatasetPlan,
        ledger: LedgerWriter,
        pool: Pool,
        control: Control,
        lease: HeldLease,
        on_tick: Callable[[], None],
    ) -> None:
        self._plan, self._ledger, self._pool, self._control = plan, ledger, pool, control
        self._lease, self._on_tick = lease, on_tick
        self._post_tasks = PostTasks(plan, ledger, lease)
        self._file_of: dict[int, int] = {}
        self._deferred: dict[int, int] = {}
        self._is_last_try = False
        self._infra_failures = 0
        self._flushed_at = time.monotonic()

    def run(self) -> None:
        """Run everything that is due.

        Raises:
            Stopped: a user or the scheduler asked for it.
            TooManyFailures: more items failed than the spec allows.
            LeaseLost: another holder may run the job.
            Exception: an error that concerns the whole job. `retry_decision` says what follows.
        """
        try:
            self._run_tasks(self._due_tasks())
            # Inputs that could not be reached may be reachable now.
            self._is_last_try = True
            self._run_tasks(self._deferred_tasks())
            if not self._control.requested:
                self._post_tasks.request_sheet()
            while self._post_tasks.are_pending:
                self._run_tasks(self._post_tasks.pending())
        finally:
            # Keep finished items, whatever ended the run.
            self._ledger.flush()
        if self._control.requested:
            raise self._control.acknowledge()

    def _run_tasks(self, tasks: Iterator[Task]) -> None:
        for outcome in self._pool.run(tasks, _TICK_SECONDS):
            if outcome is not None:
                self._record(outcome)
            self._tick()

    def _due_tasks(self) -> Iterator[Task]:
        """Yield the due items file by file. Pending post tasks go first."""
        for file in self._ledger.index.files:
            if self._ledger.is_finished(file):
                continue
            opened = self._ledger.open(file)
            if opened.is_complete:
                # Other files are finished when their last row is recorded.
                self._post_tasks.finish_file(file, opened)
                continue
            # Items of one variant share a network, and on GPUs passes through it.
            for number in sorted(opened.due, key=lambda one: (opened.items[one].variant, one)):
                yield from self._post_tasks.pending()
                if self._control.requested:
                    return
                yield self._item_task(number, file)

    def _deferred_tasks(self) -> Iterator[Task]:
        for number, file in self._deferred.items():
            if self._control.requested:
                return
            yield self._item_task(number, file)

    def _item_task(self, number: int, file: int) -> Task:
        self._file_of[number] = file
        item = self._ledger.open_files[file].items[number]
        return Task(number, "dream", (item.encode(), file))

    def _record(self, outcome: Finished | Failed) -> None:
        if outcome.task_id < 0:
            self._post_tasks.complete(outcome)
            return
        file = self._file_of.pop(outcome.task_id)
        row = self._row(file, outcome)
        if row is None:
            self._deferred[outcome.task_id] = file
            return
        opened = self._ledger.add(file, row.model_copy(update={"attempts": outcome.attempts}))
        if opened.is_complete:
            self._post_tasks.finish_file(file, opened)
        self._check_failures()

    def _row(self, file: int, outcome: Finished | Failed) -> LedgerRow | None:
        """Return the item's row, or None to try it again later."""
        if isinstance(outcome, Finished):
            self._infra_failures = 0
            return LedgerRow.decode(outcome.value, "a worker's row")
        error, item = outcome.error, self._ledger.open_files[file].items[outcome.task_id]
        failure = _item_failure(error)
        if failure == "infra":
            self._infra_failures += 1
            nothing_works = self._is_last_try and not self._ledger.added
            if self._infra_failures > _MAX_INFRA_FAILURES or nothing_works:
                raise error
            if not self._is_last_try:
                return None
        fields = log_fields(worker=outcome.member, item=item.found.key, failure=failure)
        LOG.error(
            "item %s: %s failure: %s", item.found.key, failure, format_trace(error), extra=fields
        )
        return LedgerRow(
            number=item.number,
            key=item.found.key,
            variant=item.variant,
            name=item.name,
            state="failed",
            input=item.found.place.address,
            failure=failure,
            message=_failure_message(error, failure, self._ledger.command("logs")),
            lease=self._lease.number,
            generation=self._ledger.generation,
        )

    def _check_failures(self) -> None:
        limit, failed = self._plan.spec.limits.max_failures, self._ledger.counts.failed.total()
        if limit is not None and failed > limit:
            raise TooManyFailures(
                f"{failed} items failed, and limits.max_failures is {limit}; the first: "
                f"{self._ledger.first_failure()}; {self._ledger.command('ledger', ' --failed')} "
                "shows all"
            )

    def _tick(self) -> None:
        if self._control.must_stop_now:
            raise self._control.acknowledge()
        now = time.monotonic()
        if now - self._flushed_at >= _FLUSH_SECONDS:
            self._ledger.flush()
            self._flushed_at = now
        self._post_tasks.refresh_sheet()
        self._on_tick()


def _item_failure(error: Exception) -> FailureClass:
    """Return the failure class of the error of a task that the pool has given up.

    A fault of the picture arrives as a row, not as an error. So input errors here are about
    weights, caches and disks.
    """
    if isinstance(error, Quarantined):
        return "memory" if error.is_for_memory else "input"
    failure = failure_class(error)
    return "infra" if failure == "input" else failure


def _failure_message(error: Exception, failure: FailureClass, logs: str) -> str:
    if failure == "memory":
        return f"out of memory ({error}); submit it as a poster, or resize it"
    if failure == "bug":
        return f"unexpected {type(error).__name__}: {error}; {logs} has the trace"
    return str(error)
