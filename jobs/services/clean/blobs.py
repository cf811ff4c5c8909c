"""The blobs of a store: submitted files, and which jobs reference them."""

import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from jobs.dataset.inputs.index import DatasetKeys
from jobs.records.job import list_job_ids
from jobs.records.keys import JobKeys, blob_key
from jobs.records.record import read_bytes
from jobs.store.errors import ObjectNotFound
from jobs.store.store import ObjectInfo, Store

BLOBS = "blobs/"


_THREADS = 16

_DIGEST = re.compile(rb"sha256:[0-9a-f]{64}")


def unreferenced_blobs(store: Store, blobs: Iterable[ObjectInfo]) -> list[ObjectInfo]:
    """Those of the given blobs that no job references.

    A submit may have found a blob, and not yet written the spec that references it. So delete only
    old blobs. If an object of a job cannot be read, nobody knows which blobs it references: then
    this raises InvalidRecord.
    """
    entries = list(blobs)
    referenced = _all_referenced_blobs(store) if entries else set()
    return [entry for entry in entries if entry.key not in referenced]


def referenced_blobs(store: Store, job: str) -> set[str]:
    """The keys of the blobs whose digests are in a job's spec or item lists, valid or not.

    Raises InvalidRecord for an object that cannot be read.
    """
    items = (entry.key for entry in store.list_objects(DatasetKeys(job).items_prefix))
    return {
        blob_key(digest.decode())
        for key in (JobKeys(job).spec, *items)
        for digest in _DIGEST.findall(_get_or_empty(store, key))
    }


def _get_or_empty(store: Store, key: str) -> bytes:
    try:
        return read_bytes(store, key)
    except ObjectNotFound:
        return b""


def _all_referenced_blobs(store: Store) -> set[str]:
    with ThreadPoolExecutor(_THREADS) as pool:
        return set().union(*pool.map(lambda job: referenced_blobs(store, job), list_job_ids(store)))
