"""Submits a redo: another job, which dreams a part of a succeeded poster again."""

from collections.abc import Callable, Collection, Sequence

from jobs.planning.machine import Machine
from jobs.planning.poster import PosterPlan, make_plan
from jobs.planning.weights import FindWeights, find_safetensors
from jobs.poster.redo_spec import redo_spec
from jobs.poster.staging import stage_spec
from jobs.poster.submit import submit_plan
from jobs.records.job import StoredJob
from jobs.runtime.octave_ends import OctaveEnds, ancestry
from jobs.runtime.staging import cache_folder
from jobs.runtime.upload import SubmitResult, unlimited_machine
from jobs.spec.poster import PosterSpec
from jobs.spec.redo import RedoRequest
from jobs.store.store import Store
from jobs.text.errors import RequestError


def submit_redo(store: Store, job: StoredJob, request: RedoRequest) -> SubmitResult:
    """Put a redo of a poster into its store, or find it there.

    Raises:
        RequestError: the poster has not succeeded, its octaves are kept no longer, or the request
            is wrong.
        RenderError, StoreError: see `submit_poster`.
    """
    if job.state != "succeeded":
        raise RequestError(
            f"{job.id}: is {job.state}; only a picture that has succeeded can be dreamed again; "
            f"`dreamfarm show {job.id}` tells more"
        )
    spec = stage_spec(store, job.spec, job.run_settings, cache_folder())
    kept = OctaveEnds(store, ancestry(job.id, job.spec.submitted_document))
    machine = unlimited_machine(spec.crew)
    plan = plan_request(spec, job.id, request, kept.remaining, machine, find_safetensors)
    return submit_plan(store, plan)


def plan_request(
    spec: PosterSpec,
    job: str,
    request: RedoRequest,
    remaining: Callable[[], Collection[int]],
    machine: Machine,
    find: FindWeights,
) -> PosterPlan:
    """The plan of a redo that a user asks for.

    Args:
        spec: of the picture.
        job: the id of the job that made it.
        request: what is dreamed again, and how.
        remaining: the octaves of the picture that are kept, counted from 0.
        machine: that plans.
        find: finds the weights.

    Raises RequestError, also if octaves are missing that the user did not allow to render again.
    """
    plan = make_plan(redo_spec(spec, job, request), machine, find)
    if plan.redo is None:
        raise ValueError("a redo has the plan of one")
    there = remaining()
    missing = [octave for octave in plan.redo.needed if octave not in there]
    if missing and not request.may_render_older:
        cost = sum(older.megapixel_steps for older in plan.older_plans)
        raise RequestError(
            f"{job}: this needs octaves that are not kept any more, {_named(missing)}; of "
            f"{len(plan.octaves)} octaves {_named(sorted(there)) or 'none'} remain; to render all "
            f"again takes {cost:.1f} megapixel-steps, and the redo {plan.megapixel_steps:.1f}; "
            "allow it with --render-older"
        )
    return plan


def _named(octaves: Sequence[int]) -> str:
    """Octaves counted from 1, in words: `1 to 3 and 5`."""
    runs: list[list[int]] = []
    for octave in octaves:
        if runs and octave == runs[-1][-1] + 1:
            runs[-1].append(octave)
        else:
            runs.append([octave])
    words = [str(run[0] + 1) if len(run) == 1 else f"{run[0] + 1} to {run[-1] + 1}" for run in runs]
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
