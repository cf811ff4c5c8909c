"""Posters as a kind of job."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.records.job import StoredJob
from jobs.records.keys import JobKeys
from jobs.records.manifest import MANIFEST, job_outputs
from jobs.records.redos import open_redos
from jobs.records.state import ENDED
from jobs.runtime.garbage import Garbage, as_garbage
from jobs.runtime.kind import FolderOf, JobKind, RunLimits, TargetOf
from jobs.runtime.metrics.progress import WatchProgress
from jobs.runtime.publish import Target
from jobs.runtime.runner import RunContext
from jobs.runtime.upload import SubmitResult, unlimited_machine
from jobs.spec.poster import PosterSpec
from jobs.spec.redo import RedoRequest
from jobs.store.store import Store
from jobs.text.report import PlanReport, ResultReport

if TYPE_CHECKING:
    from jobs.planning.draft import DraftLimit
    from jobs.planning.estimate.request import EstimateRequest
    from jobs.planning.identity import Identity
    from jobs.planning.poster import PosterPlan
    from jobs.runtime.backend import Backend
    from render.device import ResolvedPrecision


_SHOWN = ("format", "width", "height", "sha256", "out_of_gamut")
"""The fields of an output that `--json` prints."""


class PosterKind(JobKind[PosterSpec]):
    """Posters: see `JobKind`."""

    def plan(
        self, spec: PosterSpec, request: "EstimateRequest", folder_of: FolderOf, *, probe: bool
    ) -> PlanReport:
        from jobs.planning.machine import this_machine
        from jobs.poster.plan_report import poster_plan_report

        return poster_plan_report(spec, this_machine(), request, folder_of, probe=probe)

    def identity(self, spec: PosterSpec) -> "Identity":
        from jobs.planning.poster import make_plan

        return make_plan(spec, unlimited_machine(spec.crew)).identity

    def submit(
        self, store: Store, spec: PosterSpec, limit: "DraftLimit | None" = None
    ) -> SubmitResult:
        from jobs.poster.submit import submit_poster

        return submit_poster(store, spec, limit)

    def redo(self, store: Store, job: StoredJob, request: RedoRequest) -> SubmitResult:
        from jobs.poster.redo import submit_redo

        return submit_redo(store, job, request)

    def run(
        self, job: StoredJob, run_context: RunContext, backend: "Backend", limits: RunLimits
    ) -> None:
        from jobs.runtime.environment import OtherPrecision

        try:
            self._run(job, run_context, backend, limits, None)
        except OtherPrecision as other:
            self._run(job, run_context, backend, limits, other.precision)

    def _run(
        self,
        job: StoredJob,
        run_context: RunContext,
        backend: "Backend",
        limits: RunLimits,
        precision: "ResolvedPrecision | None",
    ) -> None:
        """precision: what `auto` means for the workers; None if that is not known yet."""
        from jobs.planning.estimate.conditions import with_useful_workers
        from jobs.poster.redo_runner import runner_of

        plan = _pinned_plan(job, run_context.job_context.store, limits, precision)
        if backend.reserve is not None:
            plan = with_useful_workers(plan, backend.gpu_types)
        plan.disk.check(run_context.job_context.scratch, "start `work` with another TMPDIR")
        runner_of(plan)(
            replace(
                run_context, job_context=replace(run_context.job_context, blobs=job.spec.blobs)
            ),
            plan,
            backend.start_crew,
            backend.reserve,
            limits.checkpoint_seconds,
            limits.min_gain,
        ).run()

    def render_here(
        self,
        spec: PosterSpec,
        target_of: TargetOf,
        watch: WatchProgress,
        *,
        in_process: bool,
        limit: "DraftLimit | None" = None,
    ) -> ResultReport:
        from jobs.planning.draft import draft_octaves
        from jobs.planning.machine import this_machine
        from jobs.planning.poster import make_plan
        from jobs.poster.local import render_here
        from jobs.runtime.backend import crew_in_process, crew_on_own_ray

        machine = this_machine()
        plan = make_plan(spec, machine)
        target = target_of(plan.identity.job_id)
        # One worker needs no second process, and Ray takes seconds to start. But only Ray notices
        # that the kernel killed a worker for its memory, and starts another that needs less.
        is_safe = plan.workers == 1 and plan.memory.needed * 2 <= machine.memory
        start = crew_in_process if in_process or is_safe else crew_on_own_ray
        until = draft_octaves(plan, limit)
        if until is not None:
            from jobs.poster.local_draft import draft_here

            return _draft_report(plan, *draft_here(plan, target, watch, start, until))
        return _result_report(render_here(plan, target, watch, start), target.out)

    def fetch(
        self, store: Store, job: StoredJob, target: Target, formats: Sequence[str]
    ) -> ResultReport:
        from jobs.poster.fetch.draft import fetch_draft, has_draft
        from jobs.poster.fetch.fetch import fetch
        from jobs.poster.fetch.outputs import parse_format

        if has_draft(job) and not formats:
            path = fetch_draft(store, job, target)
            return ResultReport({}, {"job": job.id, "state": job.state}, (str(path),))
        requested = [parse_format(text) for text in formats]
        return _result_report(fetch(store, job, target, requested), target.out)

    def garbage(self, store: Store, job: StoredJob, *, include_resumable: bool) -> list[Garbage]:
        return _checkpoints(store, job, include_resumable=include_resumable) + _orphaned_outputs(
            store, job
        )


def _pinned_plan(
    job: StoredJob, store: Store, limits: RunLimits, precision: "ResolvedPrecision | None"
) -> "PosterPlan":
    """The plan of a job on this machine, with the precision that its first holder pinned.

    precision: of a job that has no pinned plan yet; None for what the spec says here. Raises
    RequestError if the job needs more than `limits` allow.
    """
    from jobs.planning.poster import make_plan
    from jobs.poster.staging import stage_spec
    from jobs.runtime.environment import PinnedPlan
    from jobs.runtime.staging import cache_folder

    spec = stage_spec(store, job.spec, job.run_settings, cache_folder())
    limits.check(spec.limits)
    pinned = PinnedPlan.read_or_none(store, JobKeys(job.id).plan)
    if pinned is not None:
        precision = pinned.plan["precision"]
    return make_plan(spec, limits.machine(), precision=precision)


def _draft_report(plan: "PosterPlan", path: Path, octaves: int) -> ResultReport:
    """The report of a draft in a folder."""
    last, job = plan.octaves[octaves - 1], plan.identity.job_id
    output = {"path": str(path), "format": "png", "width": last.width, "height": last.height}
    document = {"job": job, "state": "paused", "octaves": octaves, "outputs": [output]}
    note = (
        f"octave {octaves} of {len(plan.octaves)}, {last.width} x {last.height}; "
        f"`dreamfarm finish {job}` goes on"
    )
    return ResultReport({}, document, (str(path),), note)


def _result_report(manifest: dict[str, Any], folder: Path) -> ResultReport:
    """The report of results in a folder: their paths and checksums."""
    paths = [folder / output["path"] for output in manifest["outputs"]]
    document = {
        "job": manifest["job"],
        "state": manifest["state"],
        "seconds": manifest["seconds"]["total"],
        "manifest": str(folder / MANIFEST),
        "outputs": [
            {"path": str(path)} | {key: output[key] for key in _SHOWN if key in output}
            for path, output in zip(paths, manifest["outputs"], strict=True)
        ],
    }
    return ResultReport(manifest, document, tuple(map(str, paths)), _gamut_note(manifest))


def _gamut_note(manifest: dict[str, Any]) -> str | None:
    """What the soft proofs among the results say in words; None without one."""
    proofs = [one for one in manifest["outputs"] if "out_of_gamut" in one]
    lines = [
        f"{one['path']}: {one['out_of_gamut']:.1%} of the pixels are out of the gamut of the press"
        for one in proofs
    ]
    return "; ".join(lines) or None


def _checkpoints(store: Store, job: StoredJob, *, include_resumable: bool) -> list[Garbage]:
    if job.state != "succeeded" and not (include_resumable and job.state in ENDED):
        return []
    if open_redos(store, job.id):
        return []
    keys = JobKeys(job.id)
    objects = store.list_objects(keys.checkpoints)
    description = f"checkpoints of a {job.state} job"
    return as_garbage(description, keys.checkpoints, objects, only_if_old=False, job=job.id)


def _orphaned_outputs(store: Store, job: StoredJob) -> list[Garbage]:
    """Outputs that the manifest does not name, once no holder can still be writing them."""
    if job.state not in ENDED or job.current_lease is None:
        return []
    keys = JobKeys(job.id)
    named = tuple(one.key(keys) for one in job_outputs(job))
    garbage = []
    # Only the folders that exist: the number of a lease may be high.
    for folder in store.list_folders(keys.all_outputs):
        prefix = f"{keys.all_outputs}{folder}/"
        if folder.isdecimal() and not any(key.startswith(prefix) for key in named):
            objects = store.list_objects(prefix)
            garbage += as_garbage(
                "unfinished outputs", prefix, objects, only_if_old=True, job=job.id
            )
    return garbage
