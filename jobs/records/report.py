"""What there is to tell of a job: what `show`, `list` and `watch` say, in words and as JSON."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from jobs.records.job import Job, eta_seconds, look, progress
from jobs.records.keys import JobKeys
from jobs.records.outputs import results
from jobs.records.state import Failure, State, Status, Want
from jobs.store.store import Store
from jobs.text.errors import BadRecord, NoSuchJob

_AT_ONCE = 16
"""Jobs that are looked at at the same time: each takes several requests, one after the other."""


@dataclass(frozen=True)
class Work:
    """Megapixel-steps."""

    done: float
    total: float


@dataclass(frozen=True)
class Report:
    """One job, as it is now; None stands for what nobody knows, or what is not there (yet).

    progress: from 0 to 1. reason: why the job stands where it stands; with `failure`, the class of
    what made it fail. want: what its user wants of it. submitted: in UTC. octave, step: counted
    from 1, of `octaves` and `steps`. items: of a dataset, how many there are, are done, and have
    failed by class. rate: megapixel-steps, or items, a second. holder: of its live lease.
    lease: the number of the highest. outputs, previews: with their keys in the store.
    """

    job: str
    state: State
    progress: float
    eta_seconds: float | None
    reason: str | None
    failure: Failure | None
    want: Want
    priority: int | None
    submitted: str
    age_seconds: int
    phase: str | None
    octave: int | None
    octaves: int | None
    step: int | None
    steps: int | None
    megapixel_steps: Work | None
    items: dict[str, Any] | None
    rate: float | None
    workers: int | None
    holder: str | None
    lease: int | None
    outputs: tuple[dict[str, Any], ...]
    previews: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {"version": 1, **asdict(self)}


def report(store: Store, job: str) -> Report:
    """The report on the job with that whole id. Raises NoSuchJob and BadRecord."""
    return _report(store, look(store, job))


def reports(store: Store, jobs: Iterable[str]) -> Iterator[Report | BadRecord | NoSuchJob]:
    """The reports on many jobs, in their order, or why there is none."""

    def one(job: str) -> Report | BadRecord | NoSuchJob:
        try:
            return report(store, job)
        except (BadRecord, NoSuchJob) as error:
            return error

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield from pool.map(one, jobs)


def _report(store: Store, job: Job) -> Report:
    keys, status, standing = JobKeys(job.id), job.status, job.standing
    is_running = job.state == "running"
    failure = status.failure if status and job.state == "failed" else None
    previews = (entry.key for entry in store.entries(keys.previews)) if standing else ()
    found = results(job)
    return Report(
        job=job.id,
        state=job.state,
        progress=progress(job),
        eta_seconds=eta_seconds(job),
        reason=_reason(job),
        failure=failure,
        want=job.intent.want,
        priority=job.terms.priority if job.terms else job.spec.spec.get("priority"),
        submitted=_before(job.age),
        age_seconds=round(job.age),
        phase=status.phase if status and is_running else None,
        octave=status.octave if status else None,
        octaves=status.octaves if status else None,
        step=status.step if status else None,
        steps=status.steps if status else None,
        megapixel_steps=Work(status.done, status.total) if status and not job.is_dataset else None,
        items=_items(job),
        rate=status.rate if status and is_running else None,
        workers=status.workers if status else None,
        holder=standing.lease.holder if standing and is_running else None,
        lease=standing.number if standing else None,
        outputs=tuple({"key": one.key(keys), **one.document()} for one in found),
        previews=tuple(previews),
    )


def _items(job: Job) -> dict[str, Any] | None:
    """The manifest's, or what the last holder knew."""
    if job.is_dataset and job.manifest is not None:
        found: dict[str, Any] | None = job.manifest.get("items")
        return found
    known = job.status.items if job.status else None
    return None if known is None else known.model_dump(mode="json")


def _reason(job: Job) -> str | None:
    """Why it has failed, or why it waits; what an attempt left that was retried is history."""
    if job.state not in ("queued", "running", "failed"):
        return None
    told = _told(job.status, job.intent.generation)
    held = job.standing
    if told or job.state != "queued" or held is None or held.lease.released:
        return told
    return f"nothing was heard of {held.lease.holder} for {held.age:.0f} s; another may go on"


def _told(status: Status | None, generation: int) -> str | None:
    return status.reason if status and status.generation == generation else None


def _before(seconds: float) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat(timespec="seconds")
