"""Loading a job from a store: its spec, state, lease, status and manifest at one time.

Anybody with write access to a store may put anything at any key. So whatever goes over several jobs
handles each one by `attempt_job`: the scheduler, `list` and `clean`. What is wrong with one job
stops no other, and only an error that concerns the store itself counts as an outage.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from jobs.records.keys import ACTIVE, JOBS, JobKeys, is_job_id, parse_active_marker
from jobs.records.lease import CurrentLease, current_lease, later_lease
from jobs.records.record import invalid_record, read_bytes_with_age, read_json_object
from jobs.records.state import Intent, PauseCause, State, pause_cause, state_of
from jobs.records.status import Status
from jobs.records.stored_spec import RunSettings, StoredSpec
from jobs.spec.base import Limits
from jobs.spec.kinds import SPEC_KINDS, stored_kind
from jobs.store.errors import ObjectNotFound, StoreError
from jobs.store.store import Store
from jobs.text.errors import InvalidRecord, JobNotFound, JobsError, RequestError
from render.errors import close_matches

T = TypeVar("T")

_MAX_NAMED = 5  # jobs in a message

_MAX_MESSAGE = 200
"""The most characters of an unexpected error in a message."""


@dataclass(frozen=True)
class StoredJob:
    """A snapshot of everything that the store contains about a job.

    age: seconds since the job was submitted, by the store's clock.
    run_settings: None if the submitting process died before it wrote them.
    current_lease, status: of the highest lease number; None before the first holder wrote them.
    manifest: the result record; None until the job has succeeded.
    """

    id: str
    state: State
    age: float
    spec: StoredSpec
    intent: Intent
    run_settings: RunSettings | None
    current_lease: CurrentLease | None
    status: Status | None
    manifest: dict[str, Any] | None

    @property
    def has_items(self) -> bool:
        """Whether the job consists of items, each with a row in a ledger."""
        return SPEC_KINDS[self.kind].has_items

    @property
    def kind(self) -> str:
        """The kind of the job, as its spec names it."""
        return stored_kind(self.spec.submitted_document)

    @property
    def limits(self) -> Limits | None:
        """The limits of the latest submit; None if it died before it wrote them."""
        return self.run_settings.limits if self.run_settings else None

    @property
    def notify(self) -> tuple[str, ...]:
        """Whom to tell when the job ends, by the latest submit."""
        return self.run_settings.notify if self.run_settings else ()

    @property
    def paused_by(self) -> PauseCause | None:
        """Why the job is paused; None if it is not."""
        if self.state != "paused":
            return None
        return pause_cause(self.status, self.intent, self.limits)

    @property
    def progress(self) -> float:
        """The fraction of the work that is done, from 0 to 1."""
        if self.state == "succeeded":
            return 1.0
        return 0.0 if self.status is None else self.status.progress

    @property
    def eta_seconds(self) -> float | None:
        """The estimated time until a running job ends; None if unknown."""
        return self.status.eta_seconds if self.state == "running" and self.status else None


def load_job(store: Store, job: str) -> StoredJob:
    """Load the job with that complete id.

    Raises JobNotFound, which suggests similar ids, and InvalidRecord.
    """
    keys = JobKeys(job)
    spec, age = _read_spec(store, keys)
    return _load(store, keys, spec, age, current_lease)


def load_job_lightly(store: Store, job: str, known: StoredJob | None = None) -> StoredJob:
    """Load a job like `load_job`, by single reads instead of listings, for those who read many.

    known: what was loaded before. The spec is not read again, because it never changes; if the job
    was deleted since, that is not noticed.
    """
    keys = JobKeys(job)
    spec, age = _read_spec(store, keys) if known is None else (known.spec, known.age)
    lease = known.current_lease.number if known and known.current_lease else 0
    return _load(store, keys, spec, age, lambda store, keys: later_lease(store, keys, lease))


def load_finished_job(store: Store, job: str) -> StoredJob | None:
    """Load a job that has succeeded and has no items, by two reads; None for any other job.

    Its lease, status and settings are left out: nothing about it depends on them any more. Raises
    like `load_job`.
    """
    keys = JobKeys(job)
    spec, age = _read_spec(store, keys)
    if SPEC_KINDS[stored_kind(spec.submitted_document)].has_items:
        return None
    manifest = read_json_object(store, keys.manifest)
    if manifest is None:
        return None
    return StoredJob(job, "succeeded", age, spec, Intent(), None, None, None, manifest)


def _load(
    store: Store,
    keys: JobKeys,
    spec: StoredSpec,
    age: float,
    find_lease: Callable[[Store, JobKeys], CurrentLease | None],
) -> StoredJob:
    """Load the records of a job other than its spec."""
    # Read the lease first. A holder writes its status and the manifest before it releases the
    # lease, so a reader of a released lease also sees them. A later claim of the next number
    # succeeds only if nothing has changed since this read.
    lease = find_lease(store, keys)
    status = None if lease is None else Status.read_or_none(store, keys.status(lease.number))
    # Read the intent before the manifest: a job with items has a manifest for each generation.
    # A submit writes the intent after the spec. Until then a missing intent means `run`. To a
    # holder it means that the job was deleted, because every claimed job had one.
    intent = Intent.read_or_none(store, keys.intent) or Intent()
    has_items = SPEC_KINDS[stored_kind(spec.submitted_document)].has_items
    manifest_key = keys.manifest_of(intent.generation) if has_items else keys.manifest
    manifest = read_json_object(store, manifest_key)
    run_settings = RunSettings.read_or_none(store, keys.run_settings)
    limits = run_settings.limits if run_settings else None
    state = state_of(manifest is not None, lease, status, intent, limits)
    return StoredJob(
        id=keys.job,
        state=state,
        age=age,
        spec=spec,
        intent=intent,
        run_settings=run_settings,
        current_lease=lease,
        status=status,
        manifest=manifest,
    )


def check_readable(store: Store) -> None:
    """Raise StoreError if the store itself does not answer; writes nothing."""
    next(iter(store.list_objects(ACTIVE)), None)


def attempt_job(
    store: Store,
    job: str,
    act: Callable[[], T],
    check_store: Callable[[Store], object] = check_readable,
) -> T | JobsError:
    """Do something with one job. If that fails, return the error, with a message of one line.

    Args:
        store: the store of the job.
        job: the id of the job.
        act: reads or writes objects of this job only.
        check_store: decides after a StoreError whether the whole store is at fault.

    Raises:
        StoreError: the store itself is at fault, not the objects of this job.
    """
    try:
        return act()
    except StoreError as error:
        check_store(store)
        return error
    except JobsError as error:
        return error
    except Exception as error:  # noqa: BLE001 - a defect that one job shows must not stop others
        text = f"{type(error).__name__}: {error}"[:_MAX_MESSAGE]
        return InvalidRecord(
            f"{JobKeys(job).folder}: unexpected {text}; "
            "delete the job, or report the error with a copy of that folder"
        )


def blocked_markers(store: Store) -> Iterator[tuple[str, InvalidRecord]]:
    """The jobs for which a folder lies at the key of a marker, and what to do about each.

    While that is there, no `work` finds the job.
    """
    for key in store.blocked_keys(ACTIVE):
        marker = parse_active_marker(key)
        if marker:
            job, _ = marker
            advice = f"move it away, and run `dreamfarm resume {job}`"
            yield job, InvalidRecord(f"{key}: is a folder, so no `work` finds the job; {advice}")


def list_job_ids(store: Store, start: str = "") -> Iterator[str]:
    """List the ids of all jobs, or of those that start with a text, sorted."""
    return (name for name in store.list_folders(JOBS, start) if is_job_id(name))


def find_job_id(store: Store, text: str) -> str:
    """The id of a job from a complete id, or from a prefix that only one id has.

    Raises JobNotFound, and RequestError if several ids have the prefix.
    """
    # A complete id needs no listing of all jobs.
    if is_job_id(text) and any(True for _ in store.list_objects(JobKeys(text).spec)):
        return text
    matches = [job for job in list_job_ids(store) if job.startswith(text)] if text else []
    if not matches:
        raise _job_not_found(store, text)
    if len(matches) > 1:
        more = len(matches) - _MAX_NAMED
        named = ", ".join(matches[:_MAX_NAMED]) + (f" and {more} more" if more > 0 else "")
        raise RequestError(
            f"{text}: {len(matches)} jobs start with this: {named}; give more of the id"
        )
    return matches[0]


def _read_spec(store: Store, keys: JobKeys) -> tuple[StoredSpec, float]:
    if not is_job_id(keys.job):
        raise _job_not_found(store, keys.job)
    try:
        content, age = read_bytes_with_age(store, keys.spec)
    except ObjectNotFound:
        raise _job_not_found(store, keys.job) from None
    spec = StoredSpec.decode(content, keys.spec)
    if spec.job != keys.job:
        raise invalid_record(keys.spec, f"is the spec of another job, {spec.job}")
    return spec, age


def _job_not_found(store: Store, text: str) -> JobNotFound:
    # The text may be the name of a job without the hash.
    by_name: dict[str, str] = {}
    for job in list_job_ids(store):
        by_name[job] = job
        by_name.setdefault(job.rpartition("-")[0], job)
    close = dict.fromkeys(by_name[name] for name in close_matches(text, by_name))
    others = " or ".join(job for job in close if job != text)
    hint = f"did you mean {others}? " if others else ""
    return JobNotFound(f"no job {text} in {store.address}; {hint}`dreamfarm list` shows all")
