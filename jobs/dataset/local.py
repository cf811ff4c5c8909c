"""Renders a dataset on this machine, into a folder."""

import shutil
from pathlib import Path
from typing import Any

from jobs.dataset.inputs.index import DatasetKeys, ItemIndex
from jobs.dataset.inputs.listing import check_output_folder
from jobs.dataset.ledger.reader import LedgerKeys, read_rows
from jobs.dataset.outputs import LEDGER_FILE, SHEET_FILE, published_path
from jobs.dataset.runner import DatasetRunner
from jobs.dataset.submit import submit_dataset
from jobs.planning.dataset import DatasetPlan
from jobs.planning.weights import find_weights
from jobs.records.job import StoredJob, load_job
from jobs.records.manifest import MANIFEST, write_manifest
from jobs.runtime.backend import StartPool
from jobs.runtime.control import Control, Stopped
from jobs.runtime.lease_renewer import LeaseRenewer
from jobs.runtime.local_workdir import LocalWorkdir, WatchedReporter, claim_workdir, open_workdir
from jobs.runtime.metrics.progress import WatchProgress
from jobs.runtime.runner import RunContext
from jobs.store.store import Store
from jobs.text.errors import LeaseLost


def render_dataset_here(
    plan: DatasetPlan, out: Path, watch: WatchProgress, start: StartPool
) -> dict[str, Any]:
    """Render a dataset into the folder `out`. Returns the manifest, which is also written there.

    The index and the ledger stay in a hidden folder of `out`. The same render resumes from there,
    and adds inputs that are new since then.

    Args:
        watch: gets the progress after each item.
        start: starts a pool of workers.

    Raises:
        RequestError: there are no pictures, `out` is read-only or contains the inputs, or too many
            items failed.
        ClusterError: the workers failed.
        LeaseLost: another process has taken over.
    """
    check_output_folder(plan.spec.inputs, out)
    workdir = LocalWorkdir(out, plan.identity.job_id)
    with open_workdir(workdir) as store:
        submit_dataset(store, plan.spec, find_weights)
        job = load_job(store, workdir.job)
        manifest = job.manifest or _run(plan, workdir, store, job, watch, start)
        # The old manifest is wrong as soon as its files are replaced.
        (out / MANIFEST).unlink(missing_ok=True)
        _publish(workdir, store, manifest)
    write_manifest(out, manifest)
    return manifest


def _run(
    plan: DatasetPlan,
    workdir: LocalWorkdir,
    store: Store,
    job: StoredJob,
    watch: WatchProgress,
    start: StartPool,
) -> dict[str, Any]:
    with claim_workdir(workdir, store, lambda: True, is_permanent=True) as (context, lease):
        control, reporter = Control(), WatchedReporter(context, watch, job.intent.generation)
        run_context = RunContext(context, lease, control, reporter, plan.spec.document())
        with (
            reporter.capturing_logs(),
            LeaseRenewer(store.without_retries(), lease, control, reporter),
        ):
            try:
                return DatasetRunner(run_context, plan, start, job.intent).run()
            except Stopped as stopped:
                raise LeaseLost(
                    f"{workdir.out}: another process has taken over this render"
                ) from stopped


def _publish(workdir: LocalWorkdir, store: Store, manifest: dict[str, Any]) -> None:
    """Move new results into the folder, and copy the merged ledger and the contact sheet."""
    keys = DatasetKeys(workdir.job)
    files = ItemIndex(store, keys).files
    for row in read_rows(store, LedgerKeys(workdir.job), files):
        if row.state == "done":
            result = store.local_path(keys.result(row.output or ""))
            if result is not None and result.exists():
                target = workdir.out / published_path(row)
                target.parent.mkdir(parents=True, exist_ok=True)
                result.replace(target)
    for key, name in (
        (f"{keys.folder}{manifest['ledger']}", LEDGER_FILE),
        (keys.sheet, SHEET_FILE),
    ):
        path = store.local_path(key)
        if path is not None and path.exists():
            shutil.copyfile(path, workdir.out / name)
