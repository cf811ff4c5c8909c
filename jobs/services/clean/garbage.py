"""Cleaning a store: finding what can go, and removing it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from jobs.records.job import list_job_ids, load_job
from jobs.records.keys import ACTIVE, JobKeys, parse_active_marker
from jobs.records.state import ENDED
from jobs.runtime.garbage import Garbage, as_garbage
from jobs.services.clean.blobs import BLOBS, unreferred
from jobs.services.clean.deletion import by_turn
from jobs.services.kinds import KINDS
from jobs.store.store import INTERNAL_PREFIX, ObjectInfo, Store, store_time
from jobs.text.errors import InvalidRecord, JobNotFound


def orphaned_garbage(store: Store) -> Iterator[Garbage]:
    """All of it; of each only what is old may be removed, since somebody may be at work."""
    for entry in unreferred(store, store.list_objects(BLOBS)):
        yield from as_garbage("blob without a job", entry.key, [entry], aged=True)
    for entry in store.list_objects(INTERNAL_PREFIX):
        yield from as_garbage("probe", entry.key, [entry], aged=True)
    for upload in store.unfinished_uploads(""):
        yield Garbage("unfinished upload", upload.key, uploads=(upload,), newest=upload.started)


_AT_ONCE = 16


def job_garbage(store: Store, *, of_all: bool) -> Iterator[Garbage]:
    """What all jobs that have ended leave; a job that cannot be read is left alone.

    Checkpoints of succeeded jobs; of_all: those from which a `retry` could go on, too.
    """

    def of_one(name: str) -> list[Garbage]:
        try:
            job = load_job(store, name)
            return KINDS[job.kind].garbage(store, job, of_all=of_all)
        except JobNotFound:
            return _remains(store, JobKeys(name))
        except InvalidRecord:
            return []

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for found in pool.map(of_one, list_job_ids(store)):
            yield from found
    for entry in store.list_objects(ACTIVE):
        if _is_stale(store, entry):
            yield from as_garbage("stale marker", entry.key, [entry], aged=False)


def _remains(store: Store, keys: JobKeys) -> list[Garbage]:
    """A folder without spec and results: of a deletion that broke off, or of a late holder."""
    entries = by_turn(keys, store.list_objects(keys.folder))
    if any(entry.key == keys.spec or keys.is_manifest(entry.key) for entry in entries):
        return []
    return as_garbage("remains of a deleted job", keys.folder, entries, aged=True)


def _is_stale(store: Store, entry: ObjectInfo) -> bool:
    marker = parse_active_marker(entry.key)
    if marker is None:
        return False
    try:
        # `retry` raises the generation, and writes another marker.
        return load_job(store, marker[0]).state in ENDED
    except JobNotFound:
        return True
    except InvalidRecord:
        return False


def find_garbage(store: Store, older_than: float, *, of_all: bool) -> list[Garbage]:
    """What can be removed now, of each kind and place.

    older_than: seconds that must have passed since somebody may have been at work on it. of_all:
    also the checkpoints from which a failed or cancelled job could go on.
    """
    found = [*job_garbage(store, of_all=of_all), *orphaned_garbage(store)]
    if not found:
        # An empty store stays so.
        return []
    before = store_time(store) - older_than
    return [waste for waste in found if waste.is_older(before)]
