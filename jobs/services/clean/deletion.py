"""Deleting a job that has ended, in an order in which one may die anywhere and begin again.

First the wish to cancel, which stays to the end: whatever part of the job is left at any time,
nobody takes it for one that waits. Then the marker and the spec: there is no job any more. Then the
manifest, before any output: whoever submits the same job again never finds it succeeded without
results. The leases come late, since the highest number fences off a holder that was taken for dead;
all that carries a lease's number goes before.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from jobs.records.job import load_job
from jobs.records.keys import JobKeys, active_marker
from jobs.records.lease import current_lease
from jobs.records.state import ENDED, Intent, State
from jobs.services.clean.blobs import blobs_of, unreferred
from jobs.store.store import ObjectInfo, Store
from jobs.text.errors import InvalidRecord, JobNotFound, RequestError

BLOB_SECONDS = 24 * 3600.0
"""How old a blob must be to be deleted with the last job that names it."""


_LOOK = 0.5  # seconds


@dataclass(frozen=True)
class Deleted:
    """What a deletion has removed: objects, and their bytes."""

    job: str
    objects: int
    bytes: int


def check_ended(store: Store, job: str) -> None:
    """Raises RequestError for a job that has not ended.

    What is left of a deletion that broke off, and what never was a job, may be deleted.
    """
    state = _state(store, job)
    if state == "running":
        raise RequestError(f"{job}: is running; cancel it first, and wait until it has stopped")
    if state not in ENDED:
        raise RequestError(f"{job}: is {state}; cancel it first")


def delete(store: Store, job: str) -> Deleted:
    """Remove all of an ended job, and the blobs that were old and only its own.

    Raises RequestError as check_ended does. What broke off is ended by the same again.
    """
    check_ended(store, job)
    keys = JobKeys(job)
    _await_parting(store, keys)
    blobs = blobs_of(store, job)
    generation = _generation(store, keys)
    store.put(keys.intent, Intent(want="cancel", generation=generation).encode())
    store.delete([active_marker(job, one) for one in range(generation + 1)])
    found = list(store.list_objects(keys.folder))
    # It was written a moment ago, by the store's clock.
    now = max(entry.modified for entry in found if entry.key == keys.intent)
    for _, turn in groupby(by_turn(keys, found), lambda entry: _turn(keys, entry.key)):
        store.delete(entry.key for entry in turn)
    blobs_left = (entry for key in sorted(blobs) for entry in store.list_objects(key))
    alone = [one for one in unreferred(store, blobs_left) if now - one.modified > BLOB_SECONDS]
    store.delete(entry.key for entry in alone)
    gone = [*found, *alone]
    return Deleted(job, len(gone), sum(entry.size for entry in gone))


def _state(store: Store, job: str) -> State:
    try:
        return load_job(store, job).state
    except (JobNotFound, InvalidRecord):
        held = current_lease(store, JobKeys(job))
        return "running" if held is not None and held.is_live else "cancelled"


def _await_parting(store: Store, keys: JobKeys) -> None:
    """Wait for the holder that has just succeeded: it still writes its last words."""
    while (held := current_lease(store, keys)) is not None and held.is_live:
        time.sleep(_LOOK)


def by_turn(keys: JobKeys, entries: Iterable[ObjectInfo]) -> list[ObjectInfo]:
    """Objects of a job in the order in which they may be deleted."""
    return sorted(entries, key=lambda entry: _turn(keys, entry.key))


def _generation(store: Store, keys: JobKeys) -> int:
    try:
        intent = Intent.read_or_none(store, keys.intent)
    except InvalidRecord:
        return 0
    return 0 if intent is None else intent.generation


def _turn(keys: JobKeys, key: str) -> int:
    turns = {keys.spec: 0, keys.intent: 4}
    if key in turns:
        return turns[key]
    if keys.is_manifest(key):
        return 1
    return 3 if key.startswith(keys.leases) else 2
