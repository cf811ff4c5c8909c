"""A stored job as the API shows it, from its records alone, without further requests."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

from jobs.records.job import StoredJob
from jobs.records.job_summary import summarize
from jobs.records.keys import JobKeys
from jobs.records.manifest import JobOutput, job_outputs
from jobs.records.request import useful_requests
from jobs.records.state import ENDED
from jobs.text.report import one_line
from jobs.web.guard import API
from jobs.web.models import Action, JobView, OutputView, SpentView, WorkDone
from render.pictures.deepzoom import has_tiles

_SIDES = 2

_MAX_SIDE = 10**9
"""Pixels. Records come from strangers, and the page lays out pictures by these numbers."""

_CONTACT_SHEETS = 20
"""How many versions of a contact sheet a page loads while a dataset runs."""


def job_url(job: str) -> str:
    """The address of a job in the API."""
    return f"{API}/jobs/{job}"


def submitted_at(job: StoredJob) -> float:
    """When a job was submitted, in seconds since 1970 by this machine's clock."""
    return max(0.0, time.time() - job.age)


def view_job(job: StoredJob, submitted: float, plan: Mapping[str, Any] | None = None) -> JobView:
    """A job for the API. Raises InvalidRecord.

    submitted: in seconds since 1970. plan: the pinned plan, if it is known.
    """
    keys, document = JobKeys(job.id), job.spec.submitted_document
    octaves = _finished_octaves(job)
    summary = summarize(job, tuple(keys.preview(octave) for octave in range(1, octaves + 1)))
    height, width = _size(job, plan)
    url, work = job_url(job.id), summary.megapixel_steps
    return JobView(
        job=job.id,
        name=job.id.rpartition("-")[0],
        kind=job.kind,
        look=summary.look,
        network=_text(document.get("network"), "name"),
        submitter=one_line(summary.submitter) or None,
        state=job.state,
        paused_by=summary.paused_by,
        spent=None if summary.spent is None else SpentView(**summary.spent.model_dump()),
        limits=summary.limits,
        want=summary.want,
        progress=summary.progress,
        eta_seconds=summary.eta_seconds,
        seconds=summary.seconds,
        reason=summary.reason,
        failure=summary.failure,
        priority=summary.priority,
        submitted=datetime.fromtimestamp(submitted, UTC).isoformat(timespec="seconds"),
        age_seconds=max(0, round(time.time() - submitted)),
        until=job.intent.until,
        phase=summary.phase,
        octave=summary.octave,
        octaves=summary.octaves,
        step=summary.step,
        steps=summary.steps,
        megapixel_steps=None if work is None else WorkDone(done=work.done, total=work.total),
        items=summary.items,
        rate=summary.rate,
        workers=summary.workers,
        holder=summary.holder,
        lease=summary.lease,
        width=width,
        height=height,
        preview=_preview(job, octaves),
        previews=tuple(f"{url}/previews/{octave}.jpg" for octave in range(1, octaves + 1)),
        outputs=tuple(_output(job.id, one) for one in job_outputs(job)),
        requests=allowed_actions(job),
    )


def allowed_actions(job: StoredJob) -> tuple[Action, ...]:
    """What a user may do with a job now."""
    if job.state in ENDED:
        return (*useful_requests(job), "delete")
    finish: tuple[Action, ...] = () if job.intent.until is None else ("finish",)
    return (*useful_requests(job), *finish, "priority")


def view_for_reader(view: JobView) -> JobView:
    """The same job for a login that may change nothing."""
    return view.model_copy(update={"requests": ()})


def _text(section: object, field: str) -> str | None:
    value = section.get(field) if isinstance(section, Mapping) else None
    return value if isinstance(value, str) else None


def _finished_octaves(job: StoredJob) -> int:
    """How many octaves of a poster have ended, and so have a preview."""
    if job.has_items:
        return 0
    if job.state == "succeeded":
        octaves = ((job.manifest or {}).get("plan") or {}).get("octaves")
        return min(len(octaves), 64) if isinstance(octaves, list) else 0
    return 0 if job.status is None else min(max(0, job.status.octave - 1), 64)


def _preview(job: StoredJob, octaves: int) -> str | None:
    """The address of the newest picture; it changes when the picture does."""
    if job.has_items:
        version = int(job.progress * _CONTACT_SHEETS)
        return f"{job_url(job.id)}/preview.jpg?v={version}" if job.progress else None
    return f"{job_url(job.id)}/preview.jpg?v={octaves}" if octaves else None


def _size(job: StoredJob, plan: Mapping[str, Any] | None) -> tuple[int | None, int | None]:
    """Height and width of a poster, if its plan is known."""
    known = plan or (job.manifest or {}).get("plan")
    size = known.get("size") if isinstance(known, Mapping) else None
    if isinstance(size, list) and len(size) == _SIDES:
        height, width = size
        if type(height) is int and type(width) is int and 0 < min(size) <= max(size) <= _MAX_SIDE:
            return height, width
    return None, None


def _output(job: str, output: JobOutput) -> OutputView:
    name = output.name
    download = f"{PurePosixPath(name).stem}.zip" if has_tiles(PurePosixPath(name)) else name
    return OutputView(
        name=name,
        format=output.format,
        width=output.width,
        height=output.height,
        depth=output.depth,
        dpi=output.dpi,
        bytes=output.bytes,
        sha256=output.sha256,
        url=f"{job_url(job)}/outputs/{download}",
    )
