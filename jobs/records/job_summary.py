"""Summaries of jobs: what `show`, `list` and `watch` print, as text or as JSON."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from jobs.records.job import StoredJob, attempt_job, blocked_markers, load_job
from jobs.records.keys import JobKeys
from jobs.records.manifest import JobOutput, item_counts, job_outputs, spent_on, total_seconds
from jobs.records.spending import Spent
from jobs.records.state import PauseCause, State, Want
from jobs.records.status import FailureClass, Status
from jobs.spec.stated_look import find_look
from jobs.store.store import Store
from jobs.text.errors import InvalidRecord, JobsError

_THREADS = 16
"""How many jobs are loaded at the same time. Each needs several requests in sequence."""


_MAX_SIZE_TEXT = 60
"""Characters of a stated size, such as `118.9cm x 84.1cm @ 300dpi`. Records come from strangers."""


@dataclass(frozen=True)
class MegapixelSteps:
    """Work of a poster: megapixels times steps, done and in total."""

    done: float
    total: float


@dataclass(frozen=True)
class JobSummary:
    """The current facts about one job. None means unknown, or not written yet.

    progress: from 0 to 1.
    seconds: of work: until the last progress, or, of a job that has succeeded, of all of it. Work
        of earlier holders does not count.
    look: the look whose fields the spec has.
    size: of the result: `7087 x 4016`, or as the spec states it.
    reason: why the job failed or waits. failure: the class of the failure.
    paused_by: what paused the job: its user, its complete draft, or a limit that is reached.
    spent: by its workers, under all leases: `seconds` with workers, `worker_seconds` of all of
        them, and `usd`, which is None without a price.
    limits: what it may spend, by `usd` and `hours`; empty without a limit.
    submitter: `user@host`, as the submitter said.
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
    seconds: float | None
    look: str | None
    size: str | None
    reason: str | None
    failure: FailureClass | None
    paused_by: PauseCause | None
    spent: Spent | None
    limits: dict[str, float]
    submitter: str | None
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
        spent = None if self.spent is None else self.spent.model_dump(mode="json")
        return {"version": 1, **asdict(self), "spent": spent}


def load_summary(store: Store, job: str) -> JobSummary:
    """The summary of the job with that complete id. Raises JobNotFound and InvalidRecord."""
    return _load_summary(store, job, dict(blocked_markers(store)))


def _load_summary(store: Store, job: str, blocked: Mapping[str, InvalidRecord]) -> JobSummary:
    """blocked: the jobs that no `work` finds, with the reason."""
    loaded = load_job(store, job)
    listed = store.list_objects(JobKeys(job).previews) if loaded.current_lease else ()
    summary = summarize(loaded, tuple(entry.key for entry in listed))
    if summary.state == "queued" and job in blocked:
        return replace(summary, reason=str(blocked[job]))
    return summary


def load_summaries(store: Store, jobs: Iterable[str]) -> Iterator[JobSummary | JobsError]:
    """The summaries of several jobs in their order; the error instead, if one cannot be loaded.

    Raises StoreError if the store itself is at fault.
    """

    blocked = dict(blocked_markers(store))

    def load_or_error(job: str) -> JobSummary | JobsError:
        return attempt_job(store, job, lambda: _load_summary(store, job, blocked))

    with ThreadPoolExecutor(_THREADS) as pool:
        yield from pool.map(load_or_error, jobs)


def summarize(job: StoredJob, previews: tuple[str, ...]) -> JobSummary:
    """The summary of a loaded job. previews: their keys. Raises InvalidRecord."""
    keys, status, current_lease = JobKeys(job.id), job.status, job.current_lease
    is_running = job.state == "running"
    failure = status.failure if status and job.state == "failed" else None
    outputs = job_outputs(job)
    return JobSummary(
        job=job.id,
        state=job.state,
        progress=job.progress,
        eta_seconds=job.eta_seconds,
        seconds=_seconds(job),
        look=find_look(job.spec.submitted_document),
        size=_size(job, outputs),
        reason=_reason(job),
        failure=failure,
        paused_by=job.paused_by,
        spent=_spent(job),
        limits=_limits(job),
        submitter=None if job.spec.submitter is None else str(job.spec.submitter),
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
        previews=previews,
    )


def _seconds(job: StoredJob) -> float | None:
    if job.manifest is None:
        return job.status.seconds if job.status else None
    return total_seconds(job)


def _spent(job: StoredJob) -> Spent | None:
    """What the workers have cost so far; None if nobody has counted it."""
    in_manifest = spent_on(job)
    if in_manifest is not None or job.status is None:
        return in_manifest
    return job.status.spent


def _limits(job: StoredJob) -> dict[str, float]:
    if job.limits is None:
        return {}
    known = {"usd": job.limits.usd, "hours": job.limits.hours}
    return {unit: limit for unit, limit in known.items() if limit is not None}


def _size(job: StoredJob, outputs: Sequence[JobOutput]) -> str | None:
    """The size of a poster's outputs; before they are made, or of a dataset, that in the spec."""
    if outputs:
        return f"{outputs[0].width} x {outputs[0].height}"
    document = job.spec.submitted_document
    stated = document.get("resize" if job.has_items else "size")
    return stated if isinstance(stated, str) and len(stated) <= _MAX_SIZE_TEXT else None


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
    if job.state not in ("queued", "running", "failed") and job.paused_by in (None, "user"):
        return None
    reason = _current_reason(job.status, job.intent.generation)
    if job.status is not None and job.state != "paused":
        # It was about the draft, or about a limit that was raised since.
        reason = None if job.status.drafted or job.status.limit else reason
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
