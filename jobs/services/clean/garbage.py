"""Cleaning a store: finding what can go, and removing it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from jobs.dataset.garbage import leavings_of_dataset
from jobs.records.job import Job, jobs, look
from jobs.records.keys import ACTIVE, JobKeys, parse_active
from jobs.records.outputs import results
from jobs.records.state import ENDED
from jobs.runtime.garbage import Waste, waste_of
from jobs.services.clean.blobs import BLOBS, unreferred
from jobs.services.clean.deletion import by_turn
from jobs.store.store import OURS, Entry, Store, store_now
from jobs.text.errors import BadRecord, NoSuchJob


def orphans(store: Store) -> Iterator[Waste]:
    """All of it; of each only what is old may be removed, since somebody may be at work."""
    for entry in unreferred(store, store.entries(BLOBS)):
        yield from waste_of("blob without a job", entry.key, [entry], aged=True)
    for entry in store.entries(OURS):
        yield from waste_of("probe", entry.key, [entry], aged=True)
    for upload in store.unfinished(""):
        yield Waste("unfinished upload", upload.key, uploads=(upload,), newest=upload.begun)


_AT_ONCE = 16


def leavings(store: Store, *, of_all: bool) -> Iterator[Waste]:
    """What all jobs that have ended leave; a job that cannot be read is left alone.

    Checkpoints of succeeded jobs; of_all: those from which a `retry` could go on, too.
    """

    def of_one(name: str) -> list[Waste]:
        try:
            job = look(store, name)
            if job.is_dataset:
                return leavings_of_dataset(store, job)
            return _checkpoints(store, job, of_all=of_all) + _strays(store, job)
        except NoSuchJob:
            return _remains(store, JobKeys(name))
        except BadRecord:
            return []

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for found in pool.map(of_one, jobs(store)):
            yield from found
    for entry in store.entries(ACTIVE):
        if _is_stale(store, entry):
            yield from waste_of("stale marker", entry.key, [entry], aged=False)


def _checkpoints(store: Store, job: Job, *, of_all: bool) -> list[Waste]:
    if job.state != "succeeded" and not (of_all and job.state in ENDED):
        return []
    keys = JobKeys(job.id)
    entries = store.entries(keys.checkpoints)
    kind = f"checkpoints of a {job.state} job"
    return waste_of(kind, keys.checkpoints, entries, aged=False, job=job.id)


def _strays(store: Store, job: Job) -> list[Waste]:
    """Outputs under leases that the manifest does not name, once nobody can be writing them."""
    if job.state not in ENDED or job.standing is None:
        return []
    keys = JobKeys(job.id)
    named = tuple(one.key(keys) for one in results(job))
    found = []
    for number in range(1, job.standing.number + 1):
        prefix = keys.outputs(number)
        if not any(key.startswith(prefix) for key in named):
            entries = store.entries(prefix)
            found += waste_of("unfinished outputs", prefix, entries, aged=True, job=job.id)
    return found


def _remains(store: Store, keys: JobKeys) -> list[Waste]:
    """A folder without spec and results: of a deletion that broke off, or of a late holder."""
    entries = by_turn(keys, store.entries(keys.folder))
    if any(entry.key == keys.spec or keys.is_manifest(entry.key) for entry in entries):
        return []
    return waste_of("remains of a deleted job", keys.folder, entries, aged=True)


def _is_stale(store: Store, entry: Entry) -> bool:
    marker = parse_active(entry.key)
    if marker is None:
        return False
    try:
        # `retry` raises the generation, and writes another marker.
        return look(store, marker[0]).state in ENDED
    except NoSuchJob:
        return True
    except BadRecord:
        return False


def find_waste(store: Store, older_than: float, *, of_all: bool) -> list[Waste]:
    """What can be removed now, of each kind and place.

    older_than: seconds that must have passed since somebody may have been at work on it. of_all:
    also the checkpoints from which a failed or cancelled job could go on.
    """
    found = [*leavings(store, of_all=of_all), *orphans(store)]
    if not found:
        # An empty store stays so.
        return []
    before = store_now(store) - older_than
    return [waste for waste in found if waste.is_older(before)]
