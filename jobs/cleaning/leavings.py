"""What jobs leave in a store: checkpoints, files of holders that came to nothing, markers.

Results, previews, events, logs and specs are none of it.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from jobs.cleaning.dataset import leavings_of_dataset
from jobs.cleaning.deletion import by_turn
from jobs.cleaning.waste import Waste, waste_of
from jobs.lifecycle.errors import BadRecord, NoSuchJob
from jobs.lifecycle.job import Job, jobs, look
from jobs.lifecycle.keys import ACTIVE, JobKeys, parse_active
from jobs.lifecycle.results import results
from jobs.lifecycle.state import ENDED
from jobs.store.store import Entry, Store

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
