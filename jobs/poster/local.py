"""Renders a poster on this machine, into a folder."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from jobs.planning.poster import PosterPlan
from jobs.poster.outputs import output_names
from jobs.poster.runner import PosterRunner
from jobs.records.lease import HeldLease
from jobs.records.manifest import MANIFEST, write_manifest
from jobs.records.state import Intent
from jobs.runtime.backend import StartCrew
from jobs.runtime.checkpoints import valid_commits
from jobs.runtime.context import JobContext, retrying_store
from jobs.runtime.control import Control, Stopped
from jobs.runtime.lease_renewer import LeaseRenewer
from jobs.runtime.local_workdir import LocalWorkdir, WatchedReporter, claim_workdir, open_workdir
from jobs.runtime.metrics.progress import WatchProgress
from jobs.runtime.runner import RunContext
from jobs.store.store import Store
from jobs.text.errors import LeaseLost, RequestError
from render.pictures.deepzoom import publish_deepzoom


def render_here(
    plan: PosterPlan, out: Path, watch: WatchProgress, start: StartCrew
) -> dict[str, Any]:
    """Render a plan into the folder `out`. Returns the manifest, which is also written there.

    Until all outputs are complete, `out` has only a hidden working folder. A render that ended
    early leaves that folder if it has a checkpoint, and the same render resumes from there.

    Args:
        watch: gets the progress after each step.
        start: starts a crew.

    Raises:
        RequestError: the disk is too small or read-only, or another process renders into `out`.
        ClusterError: the crew failed.
    """
    workdir = LocalWorkdir(out, plan.identity.job_id)
    with open_workdir(workdir) as store, _claim(workdir, store) as (context, lease):
        plan.disk.check(out)
        _check_names(plan, out)
        control, reporter = Control(), WatchedReporter(context, watch)
        run_context = RunContext(context, lease, control, reporter, plan.spec.document())
        with (
            reporter.capturing_logs(),
            LeaseRenewer(store.without_retries(), lease, control, reporter),
        ):
            try:
                stored_manifest = PosterRunner(run_context, plan, start).run()
            except Stopped as stopped:
                raise LeaseLost(f"{out}: another process has taken over this render") from stopped
        # The old manifest is wrong as soon as its files are replaced.
        (out / MANIFEST).unlink(missing_ok=True)
        outputs = [_publish(one, workdir, store) for one in stored_manifest["outputs"]]
        manifest = {**stored_manifest, "outputs": outputs}
    write_manifest(out, manifest)
    return manifest


def can_resume(out: Path, job: str) -> bool:
    """Whether a folder has a checkpoint of a job, from which the same render would resume."""
    workdir = LocalWorkdir(out, job)
    return workdir.store.is_dir() and _has_checkpoint(workdir, retrying_store(str(workdir.store)))


def _has_checkpoint(workdir: LocalWorkdir, store: Store) -> bool:
    return bool(valid_commits(store, workdir.keys))


def _claim(
    workdir: LocalWorkdir, store: Store
) -> AbstractContextManager[tuple[JobContext, HeldLease]]:
    store.put_if_absent(workdir.keys.intent, Intent().encode())
    return claim_workdir(
        workdir, store, lambda: _has_checkpoint(workdir, store), is_permanent=False
    )


def _check_names(plan: PosterPlan, out: Path) -> None:
    """Check that no output would replace a folder. Raises RequestError."""
    for name in (MANIFEST, *output_names(plan)):
        if (out / name).is_dir():
            raise RequestError(f"{out / name}: is a folder; remove it, or choose another --out")


def _publish(output: dict[str, Any], workdir: LocalWorkdir, store: Store) -> dict[str, Any]:
    """Move an output out of the working folder. Returns its entry with the final path."""
    encoded = store.local_path(f"{workdir.keys.folder}{output['path']}")
    if encoded is None:
        raise ValueError("a local store is a folder")
    final = workdir.out / encoded.name
    if output["format"] == "deepzoom":
        publish_deepzoom(encoded, final)
    else:
        encoded.replace(final)
    return {**output, "path": final.name}
