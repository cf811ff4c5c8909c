"""Datasets as a kind of job."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.dataset.inputs.index import DatasetKeys, read_listings
from jobs.records.job import StoredJob
from jobs.records.manifest import MANIFEST
from jobs.runtime.garbage import Garbage, as_garbage
from jobs.runtime.kind import FolderOf, JobKind, RunLimits, TargetOf
from jobs.runtime.metrics.progress import WatchProgress
from jobs.runtime.publish import Target
from jobs.runtime.runner import RunContext
from jobs.runtime.upload import SubmitResult, unlimited_machine
from jobs.spec.dataset import DatasetSpec
from jobs.store.store import Store
from jobs.text.errors import RequestError
from jobs.text.report import PlanReport, ResultReport, format_item_counts

if TYPE_CHECKING:
    from jobs.planning.draft import DraftLimit
    from jobs.planning.estimate.request import EstimateRequest
    from jobs.planning.identity import Identity
    from jobs.runtime.backend import Backend


def _check_no_draft(limit: "DraftLimit | None") -> None:
    if limit is not None:
        raise RequestError("--until, --draft: only for a poster; a dataset has --set resize=600")


class DatasetKind(JobKind[DatasetSpec]):
    """Many pictures, each rendered by one worker of a pool."""

    def plan(
        self, spec: DatasetSpec, request: "EstimateRequest", folder_of: FolderOf, *, probe: bool
    ) -> PlanReport:
        from jobs.dataset.plan_report import dataset_plan_report
        from jobs.planning.dataset import make_dataset_plan
        from jobs.planning.machine import this_machine

        del folder_of, probe
        if request.compares_crews:
            raise RequestError(
                "--gpu, --network-gbps, --price and several --workers are for posters; the "
                "workers of a dataset do not exchange data"
            )
        return dataset_plan_report(make_dataset_plan(spec, this_machine()))

    def identity(self, spec: DatasetSpec) -> "Identity":
        from jobs.planning.dataset import make_dataset_plan

        return make_dataset_plan(spec, unlimited_machine(spec.crew)).identity

    def submit(
        self, store: Store, spec: DatasetSpec, limit: "DraftLimit | None" = None
    ) -> SubmitResult:
        from jobs.dataset.submit import submit_dataset

        _check_no_draft(limit)

        return submit_dataset(store, spec)

    def run(
        self, job: StoredJob, run_context: RunContext, backend: "Backend", limits: RunLimits
    ) -> None:
        from jobs.dataset.inputs.listing import check_allowed
        from jobs.dataset.runner import DatasetRunner
        from jobs.dataset.staging import as_pinned, stage_plan
        from jobs.runtime.environment import OtherPrecision, PinnedPlan
        from jobs.runtime.staging import cache_folder

        context = run_context.job_context
        store, keys = context.store, context.keys
        machine, cache = limits.machine(), cache_folder()
        plan = stage_plan(store, job.spec, job.run_settings, machine, cache)
        limits.check(plan.spec.limits)
        inputs_uploaded = store.local_path(keys.spec) is None
        check_allowed(plan.spec.inputs, context.access, inputs_uploaded=inputs_uploaded)
        pinned = PinnedPlan.read_or_none(store, keys.plan)
        if pinned is not None:
            plan = as_pinned(plan, pinned)
        try:
            DatasetRunner(run_context, plan, backend.start_pool, job.intent).run()
        except OtherPrecision as other:
            plan = replace(plan, auto_precision=other.precision)
            DatasetRunner(run_context, plan, backend.start_pool, job.intent).run()

    def render_here(
        self,
        spec: DatasetSpec,
        target_of: TargetOf,
        watch: WatchProgress,
        *,
        in_process: bool,
        limit: "DraftLimit | None" = None,
    ) -> ResultReport:
        _check_no_draft(limit)
        from jobs.dataset.local import render_dataset_here
        from jobs.planning.dataset import make_dataset_plan
        from jobs.planning.machine import this_machine
        from jobs.runtime.backend import pool_in_process, pool_on_own_ray

        plan = make_dataset_plan(spec, this_machine())
        target = target_of(plan.identity.job_id)
        # Also for one worker: if a picture of a stranger kills it, the others are still dreamed.
        start = pool_in_process if in_process else pool_on_own_ray
        return _results(render_dataset_here(plan, target, watch, start), target.out)

    def fetch(
        self, store: Store, job: StoredJob, target: Target, formats: Sequence[str]
    ) -> ResultReport:
        from jobs.dataset.fetch import fetch_dataset

        if formats:
            raise RequestError("format: only for posters; a dataset has its spec's output.format")
        return _results(fetch_dataset(store, job, target), target.out)

    def garbage(self, store: Store, job: StoredJob, *, include_resumable: bool) -> list[Garbage]:
        del include_resumable
        keys = DatasetKeys(job.id)
        garbage = _unlisted_items(store, keys)
        if job.manifest is not None:
            # The tars of a finished job contain the parts.
            parts = store.list_objects(keys.all_parts)
            garbage += as_garbage(
                "packed results", keys.all_parts, parts, only_if_old=False, job=job.id
            )
            named = f"{keys.folder}{job.manifest.get('ledger')}"
            old = [one for one in store.list_objects(keys.ledgers) if one.key != named]
            garbage += as_garbage("old ledgers", keys.ledgers, old, only_if_old=True, job=job.id)
        return garbage


def _unlisted_items(store: Store, keys: DatasetKeys) -> list[Garbage]:
    """Item files without a listing: their submit has died, or still runs."""
    listed = tuple(keys.item_files(one.nonce) for one in read_listings(store, keys))
    strays = [
        one for one in store.list_objects(keys.items_prefix) if not one.key.startswith(listed)
    ]
    return as_garbage("items of no listing", keys.items_prefix, strays, only_if_old=True)


def _results(manifest: dict[str, Any], folder: Path) -> ResultReport:
    """The report on the results of a dataset in a folder."""
    document = {
        **{key: manifest[key] for key in ("job", "state", "items")},
        "seconds": manifest["seconds"]["total"],
        "manifest": str(folder / MANIFEST),
        "folder": str(folder),
    }
    counts = f"{manifest['job']}: {format_item_counts(manifest['items'])}"
    return ResultReport(manifest, document, (str(folder),), counts)
