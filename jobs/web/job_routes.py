"""Routes of jobs: list, show, change and delete them."""

import copy
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query

from jobs.records import request as requests
from jobs.records.job import StoredJob, load_job
from jobs.records.keys import JobKeys
from jobs.records.record import read_json_object
from jobs.records.state import Redo, State
from jobs.services.clean.deletion import check_deletable, delete_job
from jobs.spec.redo import nested_networks
from jobs.store.store import Store
from jobs.text.errors import RequestError
from jobs.web.farm import Farm, JobId, TheFarm, TheRole
from jobs.web.guard import API
from jobs.web.job_index import JobFilter
from jobs.web.job_logs import MOST_LINES, all_events, all_lines
from jobs.web.job_views import view_for_reader
from jobs.web.models import (
    Deleted,
    Events,
    IntentChange,
    JobPage,
    JobView,
    LogLines,
    PinnedView,
    PriorityChange,
)
from jobs.web.problems import Problem

router = APIRouter(prefix=f"{API}/jobs", tags=["jobs"])

_ShortText = Annotated[str, Query(max_length=200)]

_Limit = Annotated[int, Query(ge=1, le=200)]

_Last = Annotated[int, Query(ge=1, le=MOST_LINES, description="The last so many.")]


@router.get("")
def list_jobs(
    farm: TheFarm,
    role: TheRole,
    state: Annotated[list[State] | None, Query()] = None,
    name: _ShortText = "",
    submitter: _ShortText | None = None,
    look: _ShortText | None = None,
    kind: _ShortText | None = None,
    limit: _Limit = 50,
    after: _ShortText | None = None,
) -> JobPage:
    """List jobs, the newest first."""
    farm.index.refresh(farm.settings.refresh_seconds)
    chosen = JobFilter(tuple(state or ()), name, submitter, look, kind)
    page = farm.index.page(chosen, after, limit)
    if role == "write":
        return page
    return page.model_copy(update={"jobs": tuple(map(view_for_reader, page.jobs))})


@router.get("/{job}")
def show_job(job: JobId, farm: TheFarm, role: TheRole) -> JobView:
    """Show a job as it is now."""
    view = farm.job(job)
    return view if role == "write" else view_for_reader(view)


@router.post("/{job}/intent")
def change_intent(job: JobId, change: IntentChange, farm: TheFarm) -> JobView:
    """Pause, resume, cancel or retry a job, as on the command line."""
    _check_exists(farm, job)
    redo = Redo(failure=change.failure) if change.only_failed or change.failure else None
    try:
        if change.request == "retry":
            requests.retry(farm.store, job, redo)
        elif change.request == "resume":
            requests.resume(farm.store, job, change.raised())
        else:
            getattr(requests, change.request)(farm.store, job)
    except RequestError as error:
        raise Problem(HTTPStatus.CONFLICT, str(error)) from error
    return farm.job(job)


@router.put("/{job}/priority")
def change_priority(job: JobId, change: PriorityChange, farm: TheFarm) -> JobView:
    """Change the priority of a job. Schedulers heed it when they next look."""
    loaded = load_job(farm.store, job)
    settings = requests.run_settings_of(loaded).model_copy(update={"priority": change.priority})
    farm.store.put(JobKeys(job).run_settings, settings.encode())
    return farm.job(job)


@router.delete("/{job}")
def delete(job: JobId, farm: TheFarm) -> Deleted:
    """Delete a job that has ended, and its results."""
    _check_exists(farm, job)
    try:
        check_deletable(farm.store, job)
    except RequestError as error:
        raise Problem(HTTPStatus.CONFLICT, str(error)) from error
    report = delete_job(farm.store, job)
    farm.index.remove(job)
    return Deleted(job=report.job, objects=report.objects, bytes=report.bytes)


@router.get("/{job}/spec")
def show_spec(job: JobId, farm: TheFarm) -> dict[str, Any]:
    """Show the spec as it was submitted; files are named by `sha256:HEX/NAME`."""
    loaded = load_job(farm.store, job)
    return reusable_document(loaded)


@router.get("/{job}/plan")
def show_plan(job: JobId, farm: TheFarm) -> PinnedView:
    """Show what the first holder of the job pinned."""
    _check_exists(farm, job)
    found = _document(farm.store, JobKeys(job).plan)
    return PinnedView(
        plan=found.get("plan"), device=found.get("device"), software=found.get("software")
    )


@router.get("/{job}/manifest")
def show_manifest(job: JobId, farm: TheFarm) -> dict[str, Any]:
    """Show what was made, from what and by what, with checksums."""
    manifest = load_job(farm.store, job).manifest
    if manifest is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"{job}: has not succeeded, so it has no manifest")
    return manifest


@router.get("/{job}/events")
def show_events(job: JobId, farm: TheFarm, limit: _Last = MOST_LINES) -> Events:
    """Show what happened to a job."""
    events = list(all_events(farm.store, job, farm.job(job).lease or 0))
    return Events(events=tuple(events[-limit:]))


@router.get("/{job}/logs")
def show_logs(job: JobId, farm: TheFarm, limit: _Last = MOST_LINES) -> LogLines:
    """Show the logs of those who ran a job."""
    lines = list(all_lines(farm.store, job, farm.job(job).lease or 0))
    return LogLines(lines=tuple(lines[-limit:]))


def reusable_document(job: StoredJob) -> dict[str, Any]:
    """The spec of a job with references in place of the names of its files."""
    stored = job.spec
    document = copy.deepcopy(stored.submitted_document)
    older = nested_networks(document)
    for network, file in zip(older, stored.weights, strict=False):
        if file is not None:
            network["weights"] = f"{file.digest}/{file.name}"
    weights = stored.blobs.weights
    if not older and len(set(stored.weights)) == 1 and (file := stored.weights[0]) is not None:
        # Those of all variants of a dataset.
        weights = file.digest
    for section, field, digest in (
        ("input", "path", stored.blobs.input),
        ("network", "weights", weights),
    ):
        part = document.get(section)
        if digest is not None and isinstance(part, dict) and isinstance(part.get(field), str):
            document[section] = part | {field: f"{digest}/{Path(part[field]).name}"}
    return document


def _check_exists(farm: Farm, job: str) -> None:
    """Raise JobNotFound before anything is written under the id of no job."""
    if farm.index.known(job) is None:
        farm.job(job)


def _document(store: Store, key: str) -> dict[str, Any]:
    return read_json_object(store, key) or {}
