"""A dataset dreamed here and now, its results put beside each other in a folder."""

import shutil
from pathlib import Path
from typing import Any

from jobs.dataset.index import Inventory
from jobs.dataset.inputs.access import check_apart
from jobs.dataset.keys import DatasetKeys
from jobs.dataset.ledger.reading import LedgerKeys, rows
from jobs.dataset.outputs import LEDGER, SHEET, published_path
from jobs.dataset.runner import DatasetHolding
from jobs.dataset.submit import submit_dataset
from jobs.planning.dataset import DatasetPlan
from jobs.planning.weights import chosen_weights
from jobs.records.job import Job, look
from jobs.runtime.backend import StartPool
from jobs.runtime.control import Control, Stopped
from jobs.runtime.lease_renewer import Keeper
from jobs.runtime.local_workdir import Watched, Workplace, claimed, working_folder
from jobs.runtime.manifest import MANIFEST, write_manifest
from jobs.runtime.metrics.progress import Watch
from jobs.store.store import Store
from jobs.text.errors import LeaseLost


def dream_here(plan: DatasetPlan, out: Path, watch: Watch, start: StartPool) -> dict[str, Any]:
    """Dream a dataset into the folder `out`; returns the manifest, which lies there too.

    The listing and the ledger stay in a hidden folder there: the same again does what is missing,
    or what was added to the inputs since.

    Raises RequestError where there are no pictures, no room or no permission, where `out` lies
    among the inputs, or too many items fail; ClusterError where the machines do.
    """
    check_apart(plan.spec.inputs, out)
    place = Workplace(out, plan.identity.job_id)
    with working_folder(place) as store:
        submit_dataset(store, plan.spec, chosen_weights)
        job = look(store, place.job)
        manifest = job.manifest or _dreamed(plan, place, store, job, watch, start)
        (out / MANIFEST).unlink(missing_ok=True)
        _publish(place, store, manifest)
    write_manifest(out, manifest)
    return manifest


def _dreamed(
    plan: DatasetPlan, place: Workplace, store: Store, job: Job, watch: Watch, start: StartPool
) -> dict[str, Any]:
    with claimed(place, store, lambda: True, stays=True) as (site, held):
        control, reporter = Control(), Watched(site, watch, job.intent.generation)
        document, intent = plan.spec.document(), job.intent
        holding = DatasetHolding(plan, document, site, held, start, control, reporter, intent)
        with reporter.listening(), Keeper(store.impatient(), held, control, reporter):
            try:
                return holding.run()
            except Stopped as stopped:
                raise LeaseLost(f"{place.out}: another render goes on with this one") from stopped


def _publish(place: Workplace, store: Store, manifest: dict[str, Any]) -> None:
    """Move what is new to where people look for it."""
    keys = DatasetKeys(place.job)
    files = Inventory(store, keys).files
    for row in rows(store, LedgerKeys(place.job), files):
        if row.state == "done":
            made = store.local(keys.result(row.output or ""))
            if made is not None and made.exists():
                final = place.out / published_path(row)
                final.parent.mkdir(parents=True, exist_ok=True)
                made.replace(final)
    for key, name in ((f"{keys.folder}{manifest['ledger']}", LEDGER), (keys.sheet, SHEET)):
        made = store.local(key)
        if made is not None and made.exists():
            shutil.copyfile(made, place.out / name)
