"""A poster's plan rendered here and now."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from jobs.planning.poster import PosterPlan
from jobs.poster.outputs import output_names
from jobs.poster.runner import PosterRunner
from jobs.records.lease import HeldLease
from jobs.records.state import Intent
from jobs.runtime.backend import StartCrew
from jobs.runtime.checkpoints import valid_commits
from jobs.runtime.context import JobContext, retrying_store
from jobs.runtime.control import Control, Stopped
from jobs.runtime.lease_renewer import LeaseRenewer
from jobs.runtime.local_workdir import LocalWorkdir, WatchedReporter, claimed, working_folder
from jobs.runtime.manifest import MANIFEST, write_manifest
from jobs.runtime.metrics.progress import WatchProgress
from jobs.runtime.runner import RunContext
from jobs.store.store import Store
from jobs.text.errors import LeaseLost, RequestError
from render.pictures.deepzoom import publish_deepzoom


def render_here(
    plan: PosterPlan, out: Path, watch: WatchProgress, start: StartCrew
) -> dict[str, Any]:
    """Render a plan into the folder `out`; returns the manifest, which lies there too.

    Until all outputs are complete, `out` holds nothing but a hidden working folder. What was
    killed or failed after its first checkpoint leaves that folder, and the same render goes on
    from it; otherwise it goes.

    Raises RequestError where there is no room or no permission or another process renders the same
    there, ClusterError where the crew fails.
    """
    place = LocalWorkdir(out, plan.identity.job_id)
    with working_folder(place) as store, _claimed(place, store) as (context, lease):
        plan.disk.check(out)
        _check_places(plan, out)
        control, reporter = Control(), WatchedReporter(context, watch)
        run = RunContext(context, lease, control, reporter, plan.spec.document())
        with (
            reporter.capturing_logs(),
            LeaseRenewer(store.without_retries(), lease, control, reporter),
        ):
            try:
                found = PosterRunner(run, plan, start).run()
            except Stopped as stopped:
                raise LeaseLost(f"{out}: another render goes on with this one") from stopped
        # A manifest that is there speaks of the files that are replaced now.
        (out / MANIFEST).unlink(missing_ok=True)
        content = {**found, "outputs": [_published(one, place, store) for one in found["outputs"]]}
    write_manifest(out, content)
    return content


def _claimed(
    place: LocalWorkdir, store: Store
) -> AbstractContextManager[tuple[JobContext, HeldLease]]:
    store.put_if_absent(place.keys.intent, Intent().encode())
    return claimed(place, store, lambda: bool(valid_commits(store, place.keys)), stays=False)


def can_go_on(out: Path, job: str) -> bool:
    """Whether a render into a folder left what the same render can go on from."""
    place = LocalWorkdir(out, job)
    return bool(
        place.store.is_dir() and valid_commits(retrying_store(str(place.store)), place.keys)
    )


def _check_places(plan: PosterPlan, out: Path) -> None:
    """RequestError where a folder stands in the place of a file that will be written."""
    for name in (MANIFEST, *output_names(plan)):
        if (out / name).is_dir():
            raise RequestError(f"{out / name}: is a folder; remove it, or choose another --out")


def _published(one: dict[str, Any], place: LocalWorkdir, store: Store) -> dict[str, Any]:
    """Move an output to its final place: a file, or a DeepZoom with its folder of tiles."""
    made = store.local_path(f"{place.keys.folder}{one['path']}")
    if made is None:
        raise ValueError("a local store is a folder")
    final = place.out / made.name
    if one["format"] == "deepzoom":
        publish_deepzoom(made, final)
    else:
        made.replace(final)
    return {**one, "path": final.name}
