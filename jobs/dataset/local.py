"""A dataset dreamed here and now, its results put beside each other in a folder."""

import shutil
from pathlib import Path
from typing import Any

from jobs.dataset.inputs.access import check_output_folder
from jobs.dataset.inputs.index import DatasetKeys, ItemIndex
from jobs.dataset.ledger.reader import LedgerKeys, read_rows
from jobs.dataset.outputs import LEDGER_FILE, SHEET_FILE, published_path
from jobs.dataset.runner import DatasetRunner
from jobs.dataset.submit import submit_dataset
from jobs.planning.dataset import DatasetPlan
from jobs.planning.weights import find_weights
from jobs.records.job import Job, load_job
from jobs.runtime.backend import StartPool
from jobs.runtime.control import Control, Stopped
from jobs.runtime.lease_renewer import LeaseRenewer
from jobs.runtime.local_workdir import LocalWorkdir, WatchedReporter, claimed, working_folder
from jobs.runtime.manifest import MANIFEST, write_manifest
from jobs.runtime.metrics.progress import WatchProgress
from jobs.runtime.runner import RunContext
from jobs.store.store import Store
from jobs.text.errors import LeaseLost


def render_dataset_here(
    plan: DatasetPlan, out: Path, watch: WatchProgress, start: StartPool
) -> dict[str, Any]:
    """Dream a dataset into the folder `out`; returns the manifest, which lies there too.

    The listing and the ledger stay in a hidden folder there: the same again does what is missing,
    or what was added to the inputs since.

    Raises RequestError where there are no pictures, no room or no permission, where `out` lies
    among the inputs, or too many items fail; ClusterError where the machines do.
    """
    check_output_folder(plan.spec.inputs, out)
    place = LocalWorkdir(out, plan.identity.job_id)
    with working_folder(place) as store:
        submit_dataset(store, plan.spec, find_weights)
        job = load_job(store, place.job)
        manifest = job.manifest or _dreamed(plan, place, store, job, watch, start)
        (out / MANIFEST).unlink(missing_ok=True)
        _publish(place, store, manifest)
    write_manifest(out, manifest)
    return manifest


def _dreamed(
    plan: DatasetPlan,
    place: LocalWorkdir,
    store: Store,
    job: Job,
    watch: WatchProgress,
    start: StartPool,
) -> dict[str, Any]:
    with claimed(place, store, lambda: True, stays=True) as (context, held):
        control, reporter = Control(), WatchedReporter(context, watch, job.intent.generation)
        run = RunContext(context, held, control, reporter, plan.spec.document())
        with (
            reporter.capturing_logs(),
            LeaseRenewer(store.without_retries(), held, control, reporter),
        ):
            try:
                return DatasetRunner(run, plan, start, job.intent).run()
            except Stopped as stopped:
                raise LeaseLost(f"{place.out}: another render goes on with this one") from stopped


def _publish(place: LocalWorkdir, store: Store, manifest: dict[str, Any]) -> None:
    """Move what is new to where people look for it."""
    keys = DatasetKeys(place.job)
    files = ItemIndex(store, keys).files
    for row in read_rows(store, LedgerKeys(place.job), files):
        if row.state == "done":
            made = store.local_path(keys.result(row.output or ""))
            if made is not None and made.exists():
                final = place.out / published_path(row)
                final.parent.mkdir(parents=True, exist_ok=True)
                made.replace(final)
    for key, name in (
        (f"{keys.folder}{manifest['ledger']}", LEDGER_FILE),
        (keys.sheet, SHEET_FILE),
    ):
        made = store.local_path(key)
        if made is not None and made.exists():
            shutil.copyfile(made, place.out / name)
