"""Renders a dataset on this machine, into a folder."""

import shutil
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from jobs.dataset.inputs.index import DatasetKeys, ItemIndex
from jobs.dataset.inputs.item import InputPlace, Item
from jobs.dataset.inputs.listing import check_output_folder
from jobs.dataset.ledger.reader import LedgerKeys, read_rows
from jobs.dataset.outputs import planned_names
from jobs.dataset.published import LEDGER_FILE, SHEET_FILE, PublishedResults, published_path
from jobs.dataset.runner import DatasetRunner
from jobs.dataset.submit import submit_dataset
from jobs.planning.dataset import DatasetPlan
from jobs.planning.weights import find_weights
from jobs.records.job import load_job
from jobs.records.lease import HeldLease
from jobs.records.state import Intent
from jobs.runtime.backend import StartPool
from jobs.runtime.context import JobContext
from jobs.runtime.control import Control, Stopped
from jobs.runtime.lease_renewer import LeaseRenewer
from jobs.runtime.local_workdir import (
    LocalWorkdir,
    WatchedReporter,
    claim_workdir,
    keep_renewed,
    open_workdir,
)
from jobs.runtime.logs import LOG
from jobs.runtime.metrics.progress import WatchProgress
from jobs.runtime.publish import Publisher, Target
from jobs.runtime.runner import RunContext
from jobs.store.store import Store
from jobs.text.errors import LeaseLost


def render_dataset_here(
    plan: DatasetPlan, target: Target, watch: WatchProgress, start: StartPool
) -> dict[str, Any]:
    """Render a dataset into a folder. Returns the manifest, which is also written there.

    The index and the ledger stay in a hidden folder there. The same render resumes from it, and
    adds inputs that are new since then.

    Args:
        watch: gets the progress after each item.
        start: starts a pool of workers.

    Raises:
        RequestError: there are no pictures, or too many items failed. The folder is read-only or
            contains the inputs, or a result would replace a file that this job did not make.
        ClusterError: the workers failed.
        LeaseLost: another process has taken over.
    """
    check_output_folder(plan.spec.inputs, target.out)
    workdir = LocalWorkdir(target.out, plan.identity.job_id)
    with open_workdir(workdir) as store:
        submitted = submit_dataset(store, plan.spec, find_weights)
        if submitted.note is not None:
            LOG.warning("%s: %s", workdir.job, submitted.note)
        with claim_workdir(
            workdir, store, lambda: _has_results(store, workdir), is_permanent=True
        ) as (context, lease):
            job = load_job(store, workdir.job)
            publisher = _publisher(plan, target, workdir, store, lease)
            manifest = job.manifest
            if manifest is None:
                names = planned_names(store, job.id, plan.spec.output, job.intent.generation)
                with keep_renewed(lease):
                    publisher.check_names(chain(_JOB_FILES, names))
                manifest = _run(plan, context, lease, job.intent, watch, start)
            with keep_renewed(lease):
                _publish(publisher, context, manifest)
    return manifest


_JOB_FILES = LEDGER_FILE, SHEET_FILE


def _run(
    plan: DatasetPlan,
    context: JobContext,
    lease: HeldLease,
    intent: Intent,
    watch: WatchProgress,
    start: StartPool,
) -> dict[str, Any]:
    control, reporter = Control(), WatchedReporter(context, watch, intent.generation)
    run_context = RunContext(context, lease, control, reporter, plan.spec.document())
    renewer = LeaseRenewer(context.store.without_retries(), lease, control, reporter)
    with reporter.capturing_logs(), renewer:
        try:
            return DatasetRunner(run_context, plan, start, intent).run()
        except Stopped as stopped:
            raise LeaseLost(f"{lease.keys.job}: the render was stopped") from stopped


def _publisher(
    plan: DatasetPlan, target: Target, workdir: LocalWorkdir, store: Store, lease: HeldLease
) -> Publisher:
    return Publisher(
        target,
        workdir.job,
        workdir.path,
        lease.check,
        files_read=lambda: _files_read(plan, store, workdir.job),
        made_earlier=PublishedResults(target.out, workdir.job).has_made,
    )


def _files_read(plan: DatasetPlan, store: Store, job: str) -> Iterator[Path]:
    """The local files that a render of this plan reads. Tars are given once for each sample."""
    yield from map(Path, plan.attachment_digests)
    yield from (Path(variant.weights) for variant in plan.variants)
    yield Path(plan.spec.inputs.address)
    for item in ItemIndex(store, DatasetKeys(job)).all_items():
        yield from map(Path, {one.address for one in (item.found.place, *_extras(item))})


def _extras(item: Item) -> Iterator[InputPlace]:
    return (extra.place for extra in item.found.extras)


def _has_results(store: Store, workdir: LocalWorkdir) -> bool:
    """Whether another render could use what is in the working folder."""
    return any(True for _ in store.list_objects(LedgerKeys(workdir.job).prefix))


def _publish(publisher: Publisher, context: JobContext, manifest: dict[str, Any]) -> None:
    """Move new results into the folder, and copy the merged ledger and the contact sheet.

    The ledger comes after all results, because it tells which results are of this job. The sheet
    comes after the ledger, which tells that the sheet is of this job.
    """
    store, keys = context.store, DatasetKeys(context.job)
    files = ItemIndex(store, keys).files
    for row in read_rows(store, LedgerKeys(context.job), files):
        if row.state == "done":
            result = store.local_path(keys.result(row.output or ""))
            if result is not None and result.exists():
                publisher.place(str(published_path(row)), result)
                result.unlink(missing_ok=True)
    copies = {}
    for key, name in (
        (f"{keys.folder}{manifest['ledger']}", LEDGER_FILE),
        (keys.sheet, SHEET_FILE),
    ):
        path = store.local_path(key)
        if path is not None and path.exists():
            copies[name] = context.draft(name)
            shutil.copyfile(path, copies[name])
    outputs = publisher.record(copies)
    for name, copy in copies.items():
        publisher.place(name, copy)
    publisher.write_manifest({**manifest, "outputs": outputs})
