"""The submitters' files in a store, and which of them no job refers to."""

import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from jobs.dataset.inputs.index import DatasetKeys
from jobs.records.job import list_job_ids
from jobs.records.keys import JobKeys, blob_key
from jobs.store.errors import ObjectNotFound
from jobs.store.store import ObjectInfo, Store

BLOBS = "blobs/"


_AT_ONCE = 16

_DIGEST = re.compile(rb"sha256:[0-9a-f]{64}")


def unreferred(store: Store, blobs: Iterable[ObjectInfo]) -> list[ObjectInfo]:
    """Those of the blobs that no spec names.

    A submit that has found its blob here, and is about to write its spec, is not seen: only blobs
    that are old may be deleted.
    """
    found = list(blobs)
    referred = _referred(store) if found else set()
    return [entry for entry in found if entry.key not in referred]


def blobs_of(store: Store, job: str) -> set[str]:
    """The keys of the blobs that a job's spec and items name, whatever else is in them."""
    items = (entry.key for entry in store.list_objects(DatasetKeys(job).all_items))
    return {
        blob_key(digest.decode())
        for key in (JobKeys(job).spec, *items)
        for digest in _DIGEST.findall(_content(store, key))
    }


def _content(store: Store, key: str) -> bytes:
    try:
        return store.get(key)
    except ObjectNotFound:
        return b""


def _referred(store: Store) -> set[str]:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return set().union(*pool.map(lambda job: blobs_of(store, job), list_job_ids(store)))
