"""A job as it lies in a store, seen at one time."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jobs.records.keys import JOBS, JobKeys, is_job_id
from jobs.records.lease import Standing, standing
from jobs.records.record import aged_bytes, bad_record, read_mapping
from jobs.records.state import Intent, State, Status, state_of
from jobs.records.stored_spec import StoredSpec, Terms
from jobs.store.errors import Missing
from jobs.store.store import Store
from jobs.text.errors import NoSuchJob, RequestError
from render.errors import nearest

_NAMED_AT_MOST = 5  # jobs in a message


@dataclass(frozen=True)
class Job:
    """Everything known of a job; age: seconds since it was submitted, by the store's clock.

    terms: None where the submit that brought the job died before it wrote them.
    standing, status: the highest lease and what its holder last knew.
    """

    id: str
    state: State
    age: float
    spec: StoredSpec
    intent: Intent
    terms: Terms | None
    standing: Standing | None
    status: Status | None
    manifest: dict[str, Any] | None

    @property
    def is_dataset(self) -> bool:
        """Whether it is one of many items."""
        return is_dataset(self.spec)


def is_dataset(spec: StoredSpec) -> bool:
    """Whether a spec is one of many items."""
    return spec.spec.get("kind") == "dataset"


def look(store: Store, job: str) -> Job:
    """All that lies in the store of the job with that whole id.

    Raises NoSuchJob, naming the nearest, and BadRecord.
    """
    keys = JobKeys(job)
    spec, age = _spec(store, keys)
    # The lease comes first. Holders write the status and the manifest before they let go, so who
    # sees that one has let go sees what it left, and who claims the next number after this look
    # can only succeed if nobody has done anything since.
    held = standing(store, keys)
    status = None if held is None else Status.read_or_none(store, keys.status(held.number))
    # The intent comes before the manifest, of which a dataset has one for each generation.
    intent = Intent.read_or_none(store, keys.intent) or Intent()
    place = keys.manifest_of(intent.generation) if is_dataset(spec) else keys.manifest
    manifest = read_mapping(store, place)
    return Job(
        id=job,
        state=state_of(manifest is not None, held, status, intent),
        age=age,
        spec=spec,
        intent=intent,
        terms=Terms.read_or_none(store, keys.terms),
        standing=held,
        status=status,
        manifest=manifest,
    )


def jobs(store: Store) -> Iterator[str]:
    """The ids of all jobs, in order."""
    return (name for name in store.folders(JOBS) if is_job_id(name))


def find(store: Store, text: str) -> str:
    """The id of the job that a text means: a whole id, or the beginning of just one.

    Raises NoSuchJob; RequestError where several begin so.
    """
    # Many jobs take many listings, which a whole id need not wait for.
    if is_job_id(text) and any(True for _ in store.entries(JobKeys(text).spec)):
        return text
    found = [job for job in jobs(store) if job.startswith(text)] if text else []
    if not found:
        raise _no_such(store, text)
    if len(found) > 1:
        more = len(found) - _NAMED_AT_MOST
        named = ", ".join(found[:_NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
        raise RequestError(f"{text}: {len(found)} jobs begin so: {named}; write more of the id")
    return found[0]


def progress(job: Job) -> float:
    """How much of the work is done, from 0 to 1."""
    if job.state == "succeeded":
        return 1.0
    return 0.0 if job.status is None else job.status.progress


def eta_seconds(job: Job) -> float | None:
    """How long a running job should still take; None where nobody knows."""
    return job.status.eta_seconds if job.state == "running" and job.status else None


def _spec(store: Store, keys: JobKeys) -> tuple[StoredSpec, float]:
    if not is_job_id(keys.job):
        raise _no_such(store, keys.job)
    try:
        content, age = aged_bytes(store, keys.spec)
    except Missing:
        raise _no_such(store, keys.job) from None
    spec = StoredSpec.decoded(content, keys.spec)
    if spec.job != keys.job:
        raise bad_record(keys.spec, f"is the spec of {spec.job}")
    return spec, age


def _no_such(store: Store, text: str) -> NoSuchJob:
    # Who mistypes a name may well leave the hash out.
    by_word: dict[str, str] = {}
    for job in jobs(store):
        by_word[job] = job
        by_word.setdefault(job.rpartition("-")[0], job)
    close = dict.fromkeys(by_word[word] for word in nearest(text, by_word))
    others = " or ".join(job for job in close if job != text)
    hint = f"did you mean {others}? " if others else ""
    return NoSuchJob(f"no job {text} in {store.address}; {hint}`dreamfarm list` shows all")
