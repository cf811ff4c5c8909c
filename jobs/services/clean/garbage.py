"""Finds the objects that a store no longer needs."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from jobs.records.job import list_job_ids, load_job
from jobs.records.keys import ACTIVE, JobKeys, parse_active_marker
from jobs.records.state import ENDED
from jobs.runtime.garbage import Garbage, as_garbage
from jobs.services.clean.blobs import BLOBS, unreferenced_blobs
from jobs.services.clean.deletion import in_deletion_order
from jobs.services.kinds import KINDS
from jobs.store.store import INTERNAL_PREFIX, ObjectInfo, Store, store_time
from jobs.text.errors import InvalidRecord, JobNotFound

_THREADS = 16


def find_garbage(store: Store, older_than: float, *, include_resumable: bool) -> list[Garbage]:
    """The garbage that can be removed now.

    older_than: the least age in seconds of what somebody may still be writing or about to use.
    include_resumable: also the checkpoints from which a failed or cancelled job could resume.
    """
    garbage = [*job_garbage(store, include_resumable=include_resumable), *orphaned_garbage(store)]
    if not garbage:
        # Asking for the store's time writes an object, which an empty store should not get.
        return []
    before = store_time(store) - older_than
    return [one for one in garbage if one.is_older(before)]


def orphaned_garbage(store: Store) -> Iterator[Garbage]:
    """The garbage that belongs to no job, whatever its age."""
    for entry in unreferenced_blobs(store, store.list_objects(BLOBS)):
        yield from as_garbage("blob without a job", entry.key, [entry], only_if_old=True)
    for entry in store.list_objects(INTERNAL_PREFIX):
        yield from as_garbage("probe", entry.key, [entry], only_if_old=True)
    for upload in store.unfinished_uploads(""):
        yield Garbage("unfinished upload", upload.key, uploads=(upload,), newest=upload.started)


def job_garbage(store: Store, *, include_resumable: bool) -> Iterator[Garbage]:
    """The garbage of all ended jobs, whatever its age. Skips jobs with invalid records.

    include_resumable: also the checkpoints from which a failed or cancelled job could resume.
    """

    def garbage_of(name: str) -> list[Garbage]:
        try:
            job = load_job(store, name)
            return KINDS[job.kind].garbage(store, job, include_resumable=include_resumable)
        except JobNotFound:
            return _remains(store, JobKeys(name))
        except InvalidRecord:
            return []

    with ThreadPoolExecutor(_THREADS) as pool:
        for garbage in pool.map(garbage_of, list_job_ids(store)):
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
    marker = parse_active_marker(entry.key)
    if marker is None:
        return False
    try:
        # The state covers old generations too: a retry writes a marker of its own.
        return load_job(store, marker[0]).state in ENDED
    except JobNotFound:
        return True
    except InvalidRecord:
        return False
