"""Summaries of jobs: what `show`, `list` and `watch` print, as text or as JSON."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from jobs.records.job import StoredJob, attempt_job, load_job
from jobs.records.keys import JobKeys
from jobs.records.manifest import item_counts, job_outputs
from jobs.records.state import State, Want
from jobs.records.status import FailureClass, Status
from jobs.store.store import Store
from jobs.text.errors import JobsError

_THREADS = 16
"""How many jobs are loaded at the same time. Each needs several requests in sequence."""


@dataclass(frozen=True)
class MegapixelSteps:
    """Work of a poster: megapixels times steps, done and in total."""

    done: float
    total: float


@dataclass(frozen=True)
class JobSummary:
    """The current facts about one job. None means unknown, or not written yet.

    progress: from 0 to 1.
    reason: why the job failed or waits. failure: the class of the failure.
    want: what the user wants of the job.
    submitted: time in UTC.
    octave: the current one of `octaves`, counted from 1; 0 before the first, and in a dataset.
    step: how many of the octave's `steps` are done; 0 at first.
    items: of a dataset, the counts of all, done, and failed items by class.
    rate: megapixel-steps, or items, per second.
    holder: of the live lease. lease: the highest lease number.
    outputs, previews: with their keys in the store.
    """

    job: str
    state: State
    progress: float
    eta_seconds: float | None
    reason: str | None
    failure: FailureClass | None
    want: Want
    priority: int | None
    submitted: str
    age_seconds: int
    phase: str | None
    octave: int | None
    octaves: int | None
    step: int | None
    steps: int | None
    megapixel_steps: MegapixelSteps | None
    items: dict[str, Any] | None
    rate: float | None
    workers: int | None
    holder: str | None
    lease: int | None
    outputs: tuple[dict[str, Any], ...]
    previews: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """The summary as plain JSON values."""
        return {"version": 1, **asdict(self)}


def load_summary(store: Store, job: str) -> JobSummary:
    """The summary of the job with that complete id. Raises JobNotFound and InvalidRecord."""
    return _make_summary(store, load_job(store, job))


def load_summaries(store: Store, jobs: Iterable[str]) -> Iterator[JobSummary | JobsError]:
    """The summaries of several jobs in their order; the error instead, if one cannot be loaded.

    Raises StoreError if the store itself is at fault.
    """

    def load_or_error(job: str) -> JobSummary | JobsError:
        return attempt_job(store, job, lambda: load_summary(store, job))

    with ThreadPoolExecutor(_THREADS) as pool:
        yield from pool.map(load_or_error, jobs)


def _make_summary(store: Store, job: StoredJob) -> JobSummary:
    keys, status, current_lease = JobKeys(job.id), job.status, job.current_lease
    is_running = job.state == "running"
    failure = status.failure if status and job.state == "failed" else None
    previews = (entry.key for entry in store.list_objects(keys.previews)) if current_lease else ()
    outputs = job_outputs(job)
    return JobSummary(
        job=job.id,
        state=job.state,
        progress=job.progress,
        eta_seconds=job.eta_seconds,
        reason=_reason(job),
        failure=failure,
        want=job.intent.want,
        priority=_priority(job),
        submitted=_time_before(job.age),
        age_seconds=round(job.age),
        phase=status.phase if status and is_running else None,
        octave=status.octave if status else None,
        octaves=status.octaves if status else None,
        step=status.step if status else None,
        steps=status.steps if status else None,
        megapixel_steps=MegapixelSteps(status.done, status.total)
        if status and not job.has_items
        else None,
        items=_items(job),
        rate=status.rate if status and is_running else None,
        workers=status.workers if status else None,
        holder=current_lease.lease.holder if current_lease and is_running else None,
        lease=current_lease.number if current_lease else None,
        outputs=tuple({"key": output.key(keys), **output.document()} for output in outputs),
        previews=tuple(previews),
    )


def _priority(job: StoredJob) -> int | None:
    """The priority; of a job without run settings, that in its spec, if that is a number."""
    if job.run_settings is not None:
        return job.run_settings.priority
    stated = job.spec.submitted_document.get("priority")
    return stated if type(stated) is int and abs(stated) <= 100 else None


def _items(job: StoredJob) -> dict[str, Any] | None:
    """The item counts of the manifest, or of the last status. Raises InvalidRecord."""
    known = job.status.items if job.status else None
    if job.has_items and job.manifest is not None:
        known = item_counts(job)
    return None if known is None else known.model_dump(mode="json")


def _reason(job: StoredJob) -> str | None:
    """Why the job failed or waits; reasons of earlier generations do not count."""
    if job.state not in ("queued", "running", "failed"):
        return None
    reason = _current_reason(job.status, job.intent.generation)
    lease = job.current_lease
    if reason or job.state != "queued" or lease is None or lease.lease.released:
        return reason
    return f"no sign of {lease.lease.holder} for {lease.age:.0f} s; another `work` may continue"


def _current_reason(status: Status | None, generation: int) -> str | None:
    return status.reason if status and status.generation == generation else None


def _time_before(seconds: float) -> str:
    """The time in UTC so many seconds ago; of a file from before 1970, the start of 1970."""
    now = datetime.now(UTC)
    then = now - timedelta(seconds=min(seconds, now.timestamp()))
    return then.isoformat(timespec="seconds")
