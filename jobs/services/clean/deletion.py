"""Deletes an ended job. A deletion may be interrupted anywhere; the next one completes it.

The order of the deletions makes that safe:

1. Write the intent to cancel, and keep it to the end. No scheduler takes the remains for a queued
   job.
2. Delete the marker and the spec. The job no longer exists.
3. Delete the manifest before any output. If the same job is submitted again, it never appears as
   succeeded without results.
4. Delete the leases last, after all objects that carry a lease's number. The highest number fences
   off a holder that was presumed dead.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

from jobs.records.job import attempt_job, load_job
from jobs.records.keys import ACTIVE, JobKeys, parse_active_marker, parse_notice_marker
from jobs.records.lease import CurrentLease, current_lease
from jobs.records.redos import open_redos
from jobs.records.state import ENDED, Intent, State
from jobs.services.clean.blobs import referenced_blobs, unreferenced_blobs
from jobs.store.errors import StoreError
from jobs.store.store import ObjectInfo, Store
from jobs.text.errors import InvalidRecord, JobsError, RequestError

T = TypeVar("T")

MIN_BLOB_AGE = 24 * 3600.0
"""Seconds. A younger blob stays, because a submit may be about to reference it."""


_POLL = 0.5  # seconds


@dataclass(frozen=True)
class DeletionReport:
    """The number of objects that a deletion removed, and their bytes."""

    job: str
    objects: int
    bytes: int


def check_deletable(store: Store, job: str) -> None:
    """Raise RequestError if a job has not ended.

    The remains of an interrupted deletion are deletable, and so is a folder without a valid spec.
    """
    state = _state(store, job)
    if state == "running":
        raise RequestError(f"{job}: is running; cancel it first, and wait until it has stopped")
    if state not in ENDED:
        raise RequestError(f"{job}: is {state}; cancel it first")
    redos = open_redos(store, job)
    if redos:
        raise RequestError(
            f"{job}: {redos[0]} dreams it again, and reads it; wait for it, or cancel it first"
        )


def delete_job(store: Store, job: str) -> DeletionReport:
    """Delete an ended job, its results, and its old blobs that no other job references.

    If a deletion is interrupted, the same call completes it. Raises RequestError if the job has not
    ended.
    """
    check_deletable(store, job)
    keys = JobKeys(job)
    _wait_for_release(store, keys)
    blobs = _blobs_of(store, job)
    intent = Intent(want="cancel", generation=_generation(store, keys))
    store.put(keys.intent, intent.encode())
    store.delete(_markers(store, job))
    entries = list(store.list_objects(keys.folder))
    # The intent was written just now, so its time is the present on the store's clock.
    now = max(entry.modified for entry in entries if entry.key == keys.intent)
    for _, stage in groupby(
        in_deletion_order(keys, entries), lambda entry: _stage(keys, entry.key)
    ):
        store.delete(entry.key for entry in stage)
    present = (entry for key in sorted(blobs) for entry in store.list_objects(key))
    old = [entry for entry in present if now - entry.modified > MIN_BLOB_AGE]
    unused = _unreferenced(store, old)
    store.delete(entry.key for entry in unused)
    removed = [*entries, *unused]
    return DeletionReport(job, len(removed), sum(entry.size for entry in removed))


def _state(store: Store, job: str) -> State:
    """The state of a job; of remains and invalid records, whether somebody holds the lease."""
    loaded = _read(store, job, lambda: load_job(store, job).state)
    if not isinstance(loaded, JobsError):
        return loaded
    return "running" if _is_held(store, JobKeys(job)) else "cancelled"


def _is_held(store: Store, keys: JobKeys) -> bool:
    """Whether somebody holds the lease of a job. Nobody can hold an unreadable one."""
    held = _read(store, keys.job, lambda: current_lease(store, keys))
    return isinstance(held, CurrentLease) and held.is_live


def _read(store: Store, job: str, act: Callable[[], T]) -> T | JobsError:
    """Read records of a job. Returns the error if they are invalid.

    Raises StoreError, even if the store answers again by now: a live job may look like remains.
    """
    found = attempt_job(store, job, act)
    if isinstance(found, StoreError):
        raise found
    return found


def _wait_for_release(store: Store, keys: JobKeys) -> None:
    """Wait for the holder of a job that has just succeeded: it still writes its last report."""
    while _is_held(store, keys):
        time.sleep(_POLL)


def _blobs_of(store: Store, job: str) -> set[str]:
    """The blobs that a job references; none if they are unknown, so that `clean` decides later."""
    found = attempt_job(store, job, lambda: referenced_blobs(store, job))
    return set() if isinstance(found, JobsError) else found


def _unreferenced(store: Store, blobs: list[ObjectInfo]) -> list[ObjectInfo]:
    """Those of the blobs that no job references; none while another job is unreadable."""
    try:
        return unreferenced_blobs(store, blobs)
    except JobsError:
        return []


def _markers(store: Store, job: str) -> list[str]:
    """The markers of a job, of all generations, and its notices."""
    found = (entry.key for entry in store.list_objects(f"{ACTIVE}{job}"))
    parsed = ((key, parse_active_marker(key) or parse_notice_marker(key)) for key in found)
    return [key for key, marker in parsed if marker is not None and marker[0] == job]


def in_deletion_order(keys: JobKeys, entries: Iterable[ObjectInfo]) -> list[ObjectInfo]:
    """Sort the objects of a job in the order in which they may be deleted."""
    return sorted(entries, key=lambda entry: _stage(keys, entry.key))


def _generation(store: Store, keys: JobKeys) -> int:
    try:
        intent = Intent.read_or_none(store, keys.intent)
    except InvalidRecord:
        return 0
    return 0 if intent is None else intent.generation


def _stage(keys: JobKeys, key: str) -> int:
    """When to delete an object: the spec in stage 0, the intent in stage 4."""
    stages = {keys.spec: 0, keys.intent: 4}
    if key in stages:
        return stages[key]
    if keys.is_manifest(key):
        return 1
    return 3 if key.startswith(keys.leases) else 2
