"""Fetching a dataset: every result to its place in the tree, checked, and what is there kept."""

import hashlib
import tarfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from jobs.dataset.index import ItemIndex
from jobs.dataset.keys import DatasetKeys
from jobs.dataset.ledger.reader import LedgerKeys, read_rows
from jobs.dataset.ledger.rows import LedgerRow
from jobs.dataset.outputs import LEDGER_FILE, SHEET_FILE, published_path
from jobs.records.job import Job
from jobs.runtime.manifest import MANIFEST, write_manifest
from jobs.runtime.staging import missing_object
from jobs.store.errors import ObjectNotFound, StoreRefused
from jobs.store.store import Store, batches
from jobs.text.errors import RequestError
from render.pictures.deepzoom import digest

_AT_ONCE = 16

_PAGE = 256
"""Files that are begun before the first of them is done, at most."""


_PARTIAL = ".partial"


@dataclass(frozen=True)
class _File:
    """An object and the items in it: one, or those of a tar."""

    key: str
    path: Path
    rows: tuple[LedgerRow, ...]


def fetch_dataset(store: Store, job: Job, out: Path) -> dict[str, Any]:
    """Bring a dataset's results into a folder; returns the manifest, which is written last.

    What lies there already, with the right checksum, stays as it is, so a fetch that broke off goes
    on. Raises RequestError for a job that has not succeeded and for what the folder's disk refuses,
    StoreRefused where an object is gone or damaged.
    """
    if job.manifest is None:
        raise RequestError(
            f"{job.id}: is {job.state}; only what has succeeded can be fetched; "
            f"`dreamfarm show {job.id}` says more"
        )
    keys = DatasetKeys(job.id)
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / MANIFEST).unlink(missing_ok=True)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for page in batches(_files(store, keys, out), _PAGE):
                for _ in pool.map(lambda file: _bring(store, file), page):
                    pass
        _copy(store, f"{keys.folder}{job.manifest['ledger']}", out / LEDGER_FILE)
        if any(entry.key == keys.sheet for entry in store.list_objects(keys.sheet)):
            _copy(store, keys.sheet, out / SHEET_FILE)
        write_manifest(out, job.manifest)
    except OSError as why:
        where = why.filename or out
        raise RequestError(
            f"{where}: {why.strerror}; check the folder, or choose another --out"
        ) from why
    return job.manifest


def _files(store: Store, keys: DatasetKeys, out: Path) -> Iterator[_File]:
    files = ItemIndex(store, keys).files
    done = (row for row in read_rows(store, LedgerKeys(keys.job), files) if row.state == "done")
    for output, together in groupby(done, lambda row: row.output or ""):
        found = tuple(together)
        yield _File(keys.result(output), out / published_path(found[0]), found)


def _bring(store: Store, file: _File) -> None:
    if file.path.is_file() and _is_whole(file.path, file.rows):
        return
    file.path.parent.mkdir(parents=True, exist_ok=True)
    partial = file.path.with_name(f".{file.path.name}{_PARTIAL}")
    try:
        _copy(store, file.key, partial)
        if not _is_whole(partial, file.rows):
            raise StoreRefused(
                f"{file.key}: what came from {store.address} has not the checksum of the ledger; "
                "fetch it again, or, if that does not help, delete the job and submit it again"
            )
        partial.replace(file.path)
        _forget_older(file)
    finally:
        partial.unlink(missing_ok=True)


def _forget_older(file: _File) -> None:
    """Remove tars of the same samples that were fetched before some of them were tried again."""
    if file.rows[0].member is None:
        return
    shard = file.path.stem.partition("@")[0]
    for other in file.path.parent.glob(f"{shard}*.tar"):
        if other != file.path and other.stem.partition("@")[0] == shard:
            other.unlink()


def _copy(store: Store, key: str, path: Path) -> None:
    try:
        store.download(key, path)
    except ObjectNotFound as gone:
        raise missing_object(store, key) from gone


def _is_whole(path: Path, found: tuple[LedgerRow, ...]) -> bool:
    """Whether a file has the checksum of its row, or its members have those of theirs."""
    if found[0].member is None:
        return f"sha256:{digest(path)}" == found[0].output_sha256
    try:
        with tarfile.open(path) as tar:
            return all(one == row.output_sha256 for one, row in _digests(tar, found))
    except (tarfile.TarError, KeyError):
        return False


def _digests(tar: tarfile.TarFile, found: Iterable[LedgerRow]) -> Iterator[tuple[str, LedgerRow]]:
    for row in found:
        file = tar.extractfile(row.member or "")
        content = b"" if file is None else file.read()
        yield f"sha256:{hashlib.sha256(content).hexdigest()}", row
