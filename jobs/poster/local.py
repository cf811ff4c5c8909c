"""Renders a poster on this machine, into a folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from jobs.planning.poster import PosterPlan
from jobs.poster.local_redo import adopt_octaves, check_disk
from jobs.poster.outputs import output_names
from jobs.poster.redo_runner import runner_of
from jobs.records.lease import HeldLease
from jobs.records.record import read_json_object
from jobs.records.state import Intent
from jobs.runtime.backend import StartCrew
from jobs.runtime.checkpoints import valid_commits
from jobs.runtime.context import JobContext
from jobs.runtime.control import Control, Stopped
from jobs.runtime.lease_renewer import LeaseRenewer
from jobs.runtime.local_workdir import (
    LocalWorkdir,
    WatchedReporter,
    claim_workdir,
    keep_renewed,
    open_local_store,
    open_workdir,
)
from jobs.runtime.metrics.progress import WatchProgress
from jobs.runtime.publish import Publisher, StagedResult, Target
from jobs.runtime.runner import RunContext
from jobs.store.store import Store
from jobs.text.errors import LeaseLost


def render_here(
    plan: PosterPlan, target: Target, watch: WatchProgress, start: StartCrew
) -> dict[str, Any]:
    """Render a plan into a folder. Returns the manifest, which is also written there.

    Until all outputs are complete, the folder has only a hidden working folder. A render that ended
    early leaves that folder if it has a checkpoint, and the same render resumes from there.

    Args:
        watch: gets the progress after each step.
        start: starts a crew.

    Raises:
        RequestError: the disk is too small or read-only, another process renders into the folder,
            or a result would replace a file that this job did not make.
        ClusterError: the crew failed.
        LeaseLost: another process has taken over.
    """
    workdir = LocalWorkdir(target.out, plan.identity.job_id)
    keeps = target.keeps_octaves
    with (
        open_workdir(workdir) as store,
        claim_render(workdir, store, keeps_octaves=keeps) as (context, lease),
    ):
        publisher = Publisher(
            target, workdir.job, workdir.path, lease.check, lambda: _files_read(plan)
        )
        with keep_renewed(lease):
            publisher.check_names(output_names(plan))
        adopt_octaves(plan, workdir, store, target.older)
        check_disk(plan, workdir, store, keeps=keeps)
        stored = read_json_object(store, workdir.keys.manifest)
        if stored is None:
            stored = run_render(plan, context, lease, watch, start)
        results = [_staged(one, workdir, store) for one in stored["outputs"]]
        manifest = {
            **stored,
            "outputs": [
                {**output, "path": result.name}
                for output, result in zip(stored["outputs"], results, strict=True)
            ],
        }
        with keep_renewed(lease):
            publisher.publish(results, manifest)
    return manifest


def run_render(
    plan: PosterPlan,
    context: JobContext,
    lease: HeldLease,
    watch: WatchProgress,
    start: StartCrew,
) -> dict[str, Any]:
    """Render, or resume. Returns the manifest in the working folder's store.

    Raises Stopped after the octaves of a draft.
    """
    control, reporter = Control(), WatchedReporter(context, watch)
    run_context = RunContext(context, lease, control, reporter, plan.spec.document())
    renewer = LeaseRenewer(context.store.without_retries(), lease, control, reporter)
    with reporter.capturing_logs(), renewer:
        try:
            return runner_of(plan)(run_context, plan, start).run()
        except Stopped as stopped:
            if stopped.request == "draft":
                raise
            raise LeaseLost(f"{lease.keys.job}: the render was stopped") from stopped


def _files_read(plan: PosterPlan) -> list[Path]:
    """The files that a render of this plan reads."""
    pictures = [] if plan.spec.input.path is None else [plan.spec.input.path]
    return [*pictures, plan.weights, *plan.attachment_digests]


def can_resume(out: Path, job: str) -> bool:
    """Whether a folder has a checkpoint of a job, from which the same render would resume."""
    workdir = LocalWorkdir(out, job)
    store = open_local_store(workdir.store.absolute())
    return workdir.store.is_dir() and _has_checkpoint(workdir, store)


def _has_checkpoint(workdir: LocalWorkdir, store: Store) -> bool:
    return bool(valid_commits(store, workdir.keys))


@contextmanager
def claim_render(
    workdir: LocalWorkdir, store: Store, until: int | None = None, *, keeps_octaves: bool = False
) -> Iterator[tuple[JobContext, HeldLease]]:
    """Claim the working folder of a render.

    until: the octaves of a draft; None for all. keeps_octaves: whether it stays with all octaves.
    """
    claim = claim_workdir(
        workdir, store, lambda: _has_checkpoint(workdir, store), is_permanent=keeps_octaves
    )
    with claim as (context, lease):
        # Not before: a claim that is refused must not change how far another render goes.
        store.put(workdir.keys.intent, Intent(until=until).encode())
        yield replace(context, keeps_octaves=keeps_octaves), lease


def _staged(output: dict[str, Any], workdir: LocalWorkdir, store: Store) -> StagedResult:
    """An output in the working folder."""
    path = store.local_path(f"{workdir.keys.folder}{output['path']}")
    if path is None:
        raise ValueError("a local store is a folder")
    return StagedResult(path.name, path, output["sha256"])
