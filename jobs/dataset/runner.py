"""A dataset in the hands of its holder, from the lease to the manifest."""

import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cluster.pool import Failed, Pool, Task
from cluster.resources import Berth
from jobs.dataset.dispatch import Shift
from jobs.dataset.index import listings
from jobs.dataset.inputs.access import check_seen
from jobs.dataset.keys import DatasetKeys
from jobs.dataset.ledger.reading import LedgerKeys
from jobs.dataset.ledger_writer import Books
from jobs.dataset.manifest import dataset_manifest
from jobs.dataset.worker_tasks import Tenure
from jobs.planning.dataset import DatasetPlan
from jobs.records.lease import Held
from jobs.records.record import read_mapping
from jobs.records.state import Intent, Items
from jobs.runtime.backend import Kind, StartPool
from jobs.runtime.context import Site
from jobs.runtime.control import Control
from jobs.runtime.environment import FixedPlan, Machinery, fix
from jobs.runtime.failures import failure_of, verdict, worker_of
from jobs.runtime.logs import LOG, facts
from jobs.runtime.manifest import encoded
from jobs.runtime.metrics.counters import Use
from jobs.runtime.metrics.progress import Progress
from jobs.runtime.reporter import Reporter
from jobs.text.errors import NothingDone

if TYPE_CHECKING:
    from jobs.dataset.worker import Worker


def worker(plan: DatasetPlan, site: Site, tenure: Tenure) -> "Worker":
    """A worker, made where it will work.

    Coordinators only name it. Torch would cost each of them seconds, and memory.
    """
    from jobs.dataset.worker import Worker

    site.check_store()
    if site.store.local(site.keys.spec) is not None:
        check_seen(plan.spec.inputs)
    return Worker(plan, site, tenure)


_ONE_HEAP = {"MALLOC_ARENA_MAX": "1"}
"""For a worker's threads, which take turns at windows: glibc would else have each of them keep what
it freed, and so twice the memory. It must be said before the first thread starts."""


_WAIT = 3600.0
"""Seconds between ticks for who waits for one answer alone."""


class DatasetHolding:
    """One holder's work on one dataset.

    document: the spec as it was asked for. start: where its pools come from. kind: of its workers.
    """

    def __init__(
        self,
        plan: DatasetPlan,
        document: dict[str, Any],
        site: Site,
        held: Held,
        start: StartPool,
        control: Control,
        reporter: Reporter,
        intent: Intent,
        kind: Kind = worker,
    ) -> None:
        self._plan, self._document, self._site, self._held = plan, document, site, held
        self._start, self._control, self._reporter = start, control, reporter
        self._intent, self._kind = intent, kind
        self._keys = DatasetKeys(site.job)
        self._books = self._opened()

    def _opened(self) -> Books:
        return Books(self._site.store, self._site.job, self._site.number, self._intent)

    def run(self) -> dict[str, Any]:
        """Do what is left to do; returns the manifest, which is then in the store.

        Pools that are lost are replaced. Raises Stopped where the holder was asked to leave,
        LeaseLost, and what makes the job fail or go back to the queue.
        """
        began, started = time.monotonic(), datetime.now(UTC)
        losses = 0
        self._books.take_over()
        self._watch()
        while True:
            try:
                used = self._attempt()
            except Exception as error:  # noqa: BLE001 - classed here, and raised unless it passes
                losses = 1 if self._books.added else losses + 1
                self._recover(error, losses)
                continue
            if not self._has_grown():
                return self._finish(used, started, began)
            self._reopen()

    def _has_grown(self) -> bool:
        """Whether another submit has listed more in the meantime."""
        return len(listings(self._site.store, self._keys)) > self._books.inventory.count

    def _reopen(self) -> None:
        self._books = self._opened()
        self._books.take_over()

    def _recover(self, error: Exception, losses: int) -> None:
        """Make ready for another pool, or raise."""
        if verdict(error, losses, is_frugal=True) != "again":
            raise error
        if self._control.wanted:
            raise self._control.stopped() from error
        at_fault = worker_of(error)
        said = "%s: the pool ends (%s)"
        LOG.warning(said, type(error).__name__, error, extra=facts(**at_fault))
        self._reporter.note("pool lost", reason=str(error), **at_fault)
        self._reporter.meter.retried(failure_of(error))
        self._held.check()
        self._reopen()

    def _attempt(self) -> Machinery:
        plan, books = self._plan, self._books
        berth = Berth(plan.spec.crew.cpus_each, plan.gpus_per_worker, _ONE_HEAP)
        # While one batch is dreamed the next is decoded, and one result is written.
        depth = 2 * plan.batch + 1
        tenure = Tenure(self._intent.generation, plan.spec.crew.any_device, depth)
        workers = max(1, min(plan.workers, books.tally.left))
        self._reporter.crew(workers)
        gpus, memory = workers * plan.gpus_per_worker, workers * plan.memory
        self._reporter.uses(Use(cores=workers * berth.cpus, gpus=gpus, memory=memory))
        arguments = [(plan, self._site, tenure)] * workers
        with self._start(self._kind, arguments, berth, depth) as pool:
            used = self._fix(pool)
            Shift(
                plan,
                books,
                pool,
                self._control,
                self._site.number,
                self._intent.generation,
                self._held.check,
                self._watch,
            ).run()
        return used

    def _fix(self, pool: Pool) -> Machinery:
        """See that this pool goes on with the bytes that the first one began."""
        used: Machinery = _answer(pool, Task(0, "machinery"))
        mine = FixedPlan(plan=self._plan.pixels(), device=used.kind, software=used.software)
        any_device = self._plan.spec.crew.any_device
        fix(self._site.store, self._keys, mine, any_device=any_device)
        return used

    def _watch(self) -> None:
        tally = self._books.tally
        self._reporter.count(Items.model_validate(tally.document()))
        share = tally.ended / tally.items if tally.items else 1.0
        self._reporter.watch(
            Progress("items", 0, 0, 0, 0, float(tally.ended), float(tally.items), share)
        )

    def _finish(self, used: Machinery, started: datetime, began: float) -> dict[str, Any]:
        """The whole ledger, then the manifest, unless another holder was there first."""
        store, books = self._site.store, self._books
        if self._control.wanted:
            raise self._control.stopped()
        self._held.check()
        ledger = self._merged()
        if books.tally.items and not books.tally.done:
            raise NothingDone(
                f"none of {books.tally.items} items could be dreamed; "
                f"`dreamfarm ledger {self._site.job}` says why"
            )
        content = dataset_manifest(
            self._plan,
            used,
            self._document,
            self._intent.generation,
            books,
            ledger,
            started,
            time.monotonic() - began,
        )
        self._held.check()
        place = self._keys.manifest_of(self._intent.generation)
        if store.put_if_absent(place, encoded(content)):
            self._reporter.note("succeeded")
        return read_mapping(store, place) or content

    def _merged(self) -> str:
        """The merged ledger's name, from the job's folder; it lies in the store."""
        from jobs.dataset.ledger.parquet import merge

        store, key = self._site.store, self._keys.parquet(self._site.number)
        with tempfile.TemporaryDirectory(prefix="ledger-") as folder:
            path = Path(folder) / "ledger.parquet"
            merge(store, LedgerKeys(self._site.job), self._books.inventory.files, path)
            store.give(path, key)
        return key.removeprefix(self._keys.folder)


def _answer(pool: Pool, task: Task) -> Any:
    """What one task returns. Raises its error."""
    # To its end: a run that is left cannot be followed by another.
    (outcome,) = [one for one in pool.run([task], _WAIT) if one is not None]
    if isinstance(outcome, Failed):
        raise outcome.error
    return outcome.value
