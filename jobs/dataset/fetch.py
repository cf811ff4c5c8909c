"""Fetching a dataset: download every result to its path, and check it."""

import hashlib
import tarfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from jobs.dataset.inputs.index import DatasetKeys, ItemIndex
from jobs.dataset.ledger.reader import LedgerKeys, read_rows
from jobs.dataset.ledger.rows import LedgerRow
from jobs.dataset.outputs import LEDGER_FILE, SHEET_FILE, published_path
from jobs.records.job import StoredJob
from jobs.records.manifest import MANIFEST, write_manifest
from jobs.runtime.staging import missing_object
from jobs.store.errors import ObjectNotFound, StoreRefused
from jobs.store.store import Store, batches
from jobs.text.errors import RequestError
from render.pictures.deepzoom import digest

_DOWNLOADS_AT_ONCE = 16

_BATCH = 256
"""A batch of files is finished before the next one starts."""


_PARTIAL = ".partial"


@dataclass(frozen=True)
class _Download:
    """An object, its local path, and its items: one, or those of a tar."""

    key: str
    path: Path
    rows: tuple[LedgerRow, ...]


def fetch_dataset(store: Store, job: StoredJob, out: Path) -> dict[str, Any]:
    """Download a dataset's results into a folder. Returns the manifest, which is written last.

    Files with the right checksum are not downloaded again, so a broken fetch can be repeated.

    Raises RequestError if the job has not succeeded or the folder cannot be written, and
    StoreRefused if an object is missing or damaged.
    """
    if job.manifest is None:
        raise RequestError(
            f"{job.id}: is {job.state}; only succeeded jobs can be fetched; "
            f"`dreamfarm show {job.id}` tells why"
        )
    keys = DatasetKeys(job.id)
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / MANIFEST).unlink(missing_ok=True)
        with ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as threads:
            for batch in batches(_downloads(store, keys, out), _BATCH):
                for _ in threads.map(lambda one: _download(store, one), batch):
                    pass
        _copy(store, f"{keys.folder}{job.manifest['ledger']}", out / LEDGER_FILE)
        if any(entry.key == keys.sheet for entry in store.list_objects(keys.sheet)):
            _copy(store, keys.sheet, out / SHEET_FILE)
        write_manifest(out, job.manifest)
    except OSError as error:
        path = error.filename or out
        raise RequestError(
            f"{path}: {error.strerror}; check the folder, or choose another --out"
        ) from error
    return job.manifest


def _downloads(store: Store, keys: DatasetKeys, out: Path) -> Iterator[_Download]:
    files = ItemIndex(store, keys).files
    done = (row for row in read_rows(store, LedgerKeys(keys.job), files) if row.state == "done")
    for output, group in groupby(done, lambda row: row.output or ""):
        rows = tuple(group)
        yield _Download(keys.result(output), out / published_path(rows[0]), rows)


def _download(store: Store, download: _Download) -> None:
    path = download.path
    if path.is_file() and _is_intact(path, download.rows):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}{_PARTIAL}")
    try:
        _copy(store, download.key, partial)
        if not _is_intact(partial, download.rows):
            raise StoreRefused(
                f"{download.key}: checksum mismatch between {store.address} and the ledger; "
                "fetch it again, or, if that does not help, delete the job and submit it again"
            )
        partial.replace(path)
        _delete_older_tars(download)
    finally:
        partial.unlink(missing_ok=True)


def _delete_older_tars(download: _Download) -> None:
    """Delete local tars of the same samples, which an earlier fetch left before a retry."""
    path = download.path
    if download.rows[0].member is None:
        return
    stem = path.stem.partition("@")[0]
    for other in path.parent.glob(f"{stem}*.tar"):
        if other != path and other.stem.partition("@")[0] == stem:
            other.unlink()


def _copy(store: Store, key: str, path: Path) -> None:
    try:
        store.download(key, path)
    except ObjectNotFound as error:
        raise missing_object(store, key) from error


def _is_intact(path: Path, rows: tuple[LedgerRow, ...]) -> bool:
    """Whether a file matches the checksum of its row, or every member of a tar that of its own."""
    if rows[0].member is None:
        return f"sha256:{digest(path)}" == rows[0].output_sha256
    try:
        with tarfile.open(path) as tar:
            return all(found == row.output_sha256 for found, row in _member_digests(tar, rows))
    except (tarfile.TarError, KeyError):
        return False


def _member_digests(
    tar: tarfile.TarFile, rows: Iterable[LedgerRow]
) -> Iterator[tuple[str, LedgerRow]]:
    for row in rows:
        file = tar.extractfile(row.member or "")
        content = b"" if file is None else file.read()
        yield f"sha256:{hashlib.sha256(content).hexdigest()}", row
