"""Runs a dataset: dispatches its items, merges the ledger and makes the manifest."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cluster.pool import Pool
from cluster.resources import Resources
from cluster.task import Failed, Task
from jobs.dataset.dispatch import ItemDispatcher
from jobs.dataset.inputs.index import DatasetKeys, read_listings
from jobs.dataset.inputs.listing import check_mounted
from jobs.dataset.ledger.reader import LedgerKeys
from jobs.dataset.ledger.writer import LedgerWriter
from jobs.dataset.tasks import WorkerConfig
from jobs.planning.dataset import DatasetPlan
from jobs.records.state import Intent
from jobs.records.status import ItemCounts
from jobs.runtime.backend import MemberFactory, StartPool
from jobs.runtime.context import JobContext
from jobs.runtime.environment import Environment
from jobs.runtime.failures import RetryDecision
from jobs.runtime.metrics.progress import Progress
from jobs.runtime.metrics.snapshot import ResourceUse
from jobs.runtime.runner import JobRunner, RunContext
from jobs.runtime.spending import WorkerShape
from jobs.text.errors import AllItemsFailed
from render.version import PIXEL_VERSION

if TYPE_CHECKING:
    from jobs.dataset.worker import Worker

_ONE_MALLOC_ARENA = {"MALLOC_ARENA_MAX": "1"}
"""The threads of a worker share one malloc arena. Otherwise glibc keeps freed memory for each
thread, which doubles the memory use. It must be set before the first thread starts."""

_ANSWER_TICK = 3600.0
"""Seconds between two ticks while a single task runs."""


def create_worker(plan: DatasetPlan, context: JobContext, config: WorkerConfig) -> "Worker":
    """Create a worker; called on its machine.

    Coordinators import only this function, since importing torch costs seconds and memory. Raises
    StoreRefused if the machine does not have the inputs or the store.
    """
    from jobs.dataset.worker import Worker

    context.check_store()
    if context.store.local_path(context.keys.spec) is not None:
        check_mounted(plan.spec.inputs)
    return Worker(plan, context, config)


class DatasetRunner(JobRunner):
    """Runs one dataset under one lease.

    start_pool: starts a pool of workers. intent: the generation, and the items to redo.
    make_worker: creates a worker.
    """

    group_name = "pool"

    def __init__(
        self,
        run_context: RunContext,
        plan: DatasetPlan,
        start_pool: StartPool,
        intent: Intent,
        make_worker: MemberFactory = create_worker,
    ) -> None:
        super().__init__(run_context)
        self._plan, self._start_pool, self._intent = plan, start_pool, intent
        self._make_worker = make_worker
        self._keys = DatasetKeys(run_context.job_context.job)
        self._ledger = self._open_ledger()

    def _open_ledger(self) -> LedgerWriter:
        context = self._run_context.job_context
        return LedgerWriter(context.store, context.job, context.lease_number, self._intent)

    def _take_over(self) -> None:
        self._ledger.take_over()
        self._report_progress()

    def _work_done(self) -> float:
        return self._ledger.counts.recorded

    def _is_frugal(self) -> bool:
        # A dream in memory has no mode that needs less. A worker checks each item's need first.
        return True

    def _prepare_retry(self, decision: RetryDecision) -> None:
        del decision
        self._ledger = self._open_ledger()
        self._ledger.take_over()

    def _attempt(self) -> tuple[str, dict[str, Any]]:
        environment = self._run_items()
        while self._has_grown():
            self._prepare_retry("again")
            environment = self._run_items()
        self._run_context.stop_if_requested()
        self._run_context.lease.check()
        merged = self._merge_ledger()
        counts = self._ledger.counts
        if counts.items and not counts.done:
            raise AllItemsFailed(
                f"none of {counts.items} items could be dreamed; the first: "
                f"{self._ledger.first_failure()}; {self._ledger.command('ledger')} shows all"
            )
        return self._keys.manifest_of(self._intent.generation), self._manifest(environment, merged)

    def _has_grown(self) -> bool:
        """Whether a submit has listed more items since this run started."""
        known = self._ledger.index.listing_count
        return len(read_listings(self._run_context.job_context.store, self._keys)) > known

    def _run_items(self) -> Environment:
        """Run all due items on a pool. Returns the environment of its workers."""
        plan, ledger, reporter = self._plan, self._ledger, self._run_context.reporter
        resources = Resources(plan.spec.crew.cpus_each, plan.gpus_per_worker, _ONE_MALLOC_ARENA)
        # While a worker dreams one batch, it decodes the next one and writes one result.
        depth = 2 * plan.batch + 1
        config = WorkerConfig(self._intent.generation, plan.spec.crew.any_device, depth)
        workers = max(1, min(plan.workers, ledger.counts.remaining))
        reporter.set_workers(workers)
        gpus, memory = workers * plan.gpus_per_worker, workers * plan.memory
        reporter.use_resources(
            ResourceUse(cores=workers * resources.cpus, gpus=gpus, memory=memory)
        )
        arguments = [(plan, self._run_context.job_context, config)] * workers
        shape = WorkerShape(plan.gpus_per_worker, plan.spec.crew.cpus_each)
        with (
            self._run_context.paying(workers, shape, plan.spec.limits),
            self._start_pool(self._make_worker, arguments, resources, depth) as pool,
        ):
            environment = self._pin(pool)
            ItemDispatcher(
                plan,
                ledger,
                pool,
                self._run_context.control,
                self._run_context.lease,
                self._report_progress,
            ).run()
        return environment

    def _pin(self, pool: Pool) -> Environment:
        """Check that this pool computes the same bytes as the job's first pool."""
        environment: Environment = _run_task(pool, Task(0, "environment"))
        self._run_context.reporter.spending.know_device(environment.device_name)
        spec = self._plan.spec
        if spec.precision == "auto" or "precision" in spec.sweep:
            self._run_context.check_auto_precision(self._plan.auto_precision, environment)
        any_device = self._plan.spec.crew.any_device
        self._run_context.pin(self._plan.pixel_settings(), environment, any_device=any_device)
        return environment

    def _report_progress(self) -> None:
        counts = self._ledger.counts
        self._run_context.reporter.set_items(ItemCounts.model_validate(counts.document()))
        share = counts.recorded / counts.items if counts.items else 1.0
        self._run_context.report_progress(
            Progress(
                phase="items",
                octave=0,
                octaves=0,
                step=0,
                steps=0,
                done=float(counts.recorded),
                total=float(counts.items),
                fraction=share,
            )
        )

    def _merge_ledger(self) -> str:
        """Merge the ledger into one file of the store. Returns its path below the job's folder."""
        # Arrow takes a while to import, and only this step needs it.
        from jobs.dataset.ledger.parquet import merge_ledger

        context = self._run_context.job_context
        key = self._keys.merged_ledger(context.lease_number)
        with tempfile.TemporaryDirectory(prefix="ledger-") as folder:
            path = Path(folder) / "ledger.parquet"
            merge_ledger(context.store, LedgerKeys(context.job), self._ledger.index.files, path)
            context.store.move_file(path, key)
        return key.removeprefix(self._keys.folder)

    def _manifest(self, environment: Environment, merged_ledger: str) -> dict[str, Any]:
        """The manifest as JSON values. The merged ledger describes the single items."""
        plan = self._plan
        return {
            "version": 1,
            "kind": "dataset",
            "job": plan.identity.job_id,
            "state": "succeeded",
            "spec": self._run_context.document,
            "identity": plan.identity.document,
            "plan": plan.pixel_settings(),
            "weights": [{"sha256": one.weights_digest} for one in plan.variants],
            "generation": self._intent.generation,
            "items": self._ledger.counts.document(),
            "ledger": merged_ledger,
            "pixel_version": PIXEL_VERSION,
            "software": environment.software,
            "device": environment.device_name,
            "workers": plan.workers,
            "started": self._started.isoformat(timespec="seconds"),
            "seconds": {"total": round(self._clock.seconds()["total"], 2)},
            "spent": self._run_context.reporter.spending.total.rounded().model_dump(mode="json"),
        }


def _run_task(pool: Pool, task: Task) -> Any:
    """Return the result of one task. Raises its error."""
    # Consume the run to its end, or the pool cannot run again.
    (outcome,) = [one for one in pool.run([task], _ANSWER_TICK) if one is not None]
    if isinstance(outcome, Failed):
        raise outcome.error
    return outcome.value
