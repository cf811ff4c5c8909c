"""Finds the objects that a store no longer needs."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from jobs.records.job import attempt_job, list_job_ids, load_job
from jobs.records.keys import ACTIVE, JobKeys, parse_active_marker, parse_notice_marker
from jobs.records.spending import SPENDING, day_folder
from jobs.records.state import ENDED
from jobs.runtime.garbage import Garbage, as_garbage
from jobs.services.clean.blobs import BLOBS, unreferenced_blobs
from jobs.services.clean.deletion import in_deletion_order
from jobs.services.kinds import KINDS
from jobs.store.store import INTERNAL_PREFIX, ObjectInfo, Store, store_time
from jobs.text.errors import InvalidRecord, JobNotFound, JobsError

_THREADS = 16


Report = Callable[[str], object]
"""Gets a line about what is left alone."""


def _ignore(_line: str) -> None:
    """Tell nobody."""


def find_garbage(
    store: Store, older_than: float, *, include_resumable: bool, report: Report = _ignore
) -> list[Garbage]:
    """The garbage that can be removed now. What is wrong with one job stops no other.

    older_than: the least age in seconds of what somebody may still be writing or about to use.
    include_resumable: also the checkpoints from which a failed or cancelled job could resume.
    report: gets a line for each job that is left alone.
    """
    garbage = [
        *job_garbage(store, include_resumable=include_resumable, report=report),
        *orphaned_garbage(store, report),
    ]
    if not garbage:
        # Asking for the store's time writes an object, which an empty store should not get.
        return []
    before = store_time(store) - older_than
    return [one for one in garbage if one.is_older(before)]


def orphaned_garbage(store: Store, report: Report = _ignore) -> Iterator[Garbage]:
    """The garbage that belongs to no job, whatever its age.

    While a job is unreadable, no blob is garbage: the job may reference it.
    """
    try:
        blobs = unreferenced_blobs(store, store.list_objects(BLOBS))
    except InvalidRecord as error:
        blobs = []
        report(f"{error} (no blob is removed before)")
    for entry in blobs:
        yield from as_garbage("blob without a job", entry.key, [entry], only_if_old=True)
    for entry in store.list_objects(INTERNAL_PREFIX):
        yield from as_garbage("probe", entry.key, [entry], only_if_old=True)
    for day in store.list_folders(SPENDING):
        spent = store.list_objects(day_folder(day))
        yield from as_garbage("spending of a day", day_folder(day), spent, only_if_old=True)
    for upload in store.unfinished_uploads(""):
        yield Garbage("unfinished upload", upload.key, uploads=(upload,), newest=upload.started)


def job_garbage(
    store: Store, *, include_resumable: bool, report: Report = _ignore
) -> Iterator[Garbage]:
    """The garbage of all ended jobs, whatever its age. Leaves jobs alone that are unreadable.

    include_resumable: also the checkpoints from which a failed or cancelled job could resume.
    """

    def garbage_of(name: str) -> list[Garbage]:
        try:
            job = load_job(store, name)
        except JobNotFound:
            return _remains(store, JobKeys(name))
        return KINDS[job.kind].garbage(store, job, include_resumable=include_resumable)

    def attempt(name: str) -> list[Garbage] | JobsError:
        return attempt_job(store, name, lambda: garbage_of(name))

    with ThreadPoolExecutor(_THREADS) as pool:
        for garbage in pool.map(attempt, list_job_ids(store)):
            if isinstance(garbage, JobsError):
                report(f"{garbage} (left alone)")
            else:
                yield from garbage
    for entry in store.list_objects(ACTIVE):
        if _is_stale(store, entry):
            yield from as_garbage("stale marker", entry.key, [entry], only_if_old=False)


def _remains(store: Store, keys: JobKeys) -> list[Garbage]:
    """A folder without spec and manifest, left by an interrupted deletion or a late holder."""
    entries = in_deletion_order(keys, store.list_objects(keys.folder))
    if any(entry.key == keys.spec or keys.is_manifest(entry.key) for entry in entries):
        return []
    return as_garbage("remains of a deleted job", keys.folder, entries, only_if_old=True)


def _is_stale(store: Store, entry: ObjectInfo) -> bool:
    active, notice = parse_active_marker(entry.key), parse_notice_marker(entry.key)
    marker = active or notice
    if marker is None:
        return False
    # The state covers old generations too: a retry writes a marker of its own.
    state = attempt_job(store, marker[0], lambda: load_job(store, marker[0]).state)
    return isinstance(state, JobNotFound) or (active is not None and state in ENDED)
