"""Fetching a dataset: download every result to its path, and check it."""

import functools
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, groupby
from pathlib import Path, PurePosixPath
from typing import Any

from jobs.dataset.inputs.index import DatasetKeys, ItemIndex
from jobs.dataset.ledger.reader import LedgerKeys, read_rows
from jobs.dataset.ledger.rows import LedgerRow
from jobs.dataset.published import (
    LEDGER_FILE,
    SHEET_FILE,
    PublishedResults,
    is_intact,
    published_path,
)
from jobs.records.job import StoredJob
from jobs.runtime.local_workdir import LocalWorkdir, claim_workdir, keep_renewed, open_workdir
from jobs.runtime.ownership import has_record
from jobs.runtime.publish import Publisher, Target
from jobs.runtime.staging import missing_object
from jobs.store.errors import ObjectNotFound, StoreRefused
from jobs.store.store import Store, batches
from jobs.text.errors import RequestError

_DOWNLOADS_AT_ONCE = 16

_BATCH = 256
"""A batch of files is finished before the next one starts."""


@dataclass(frozen=True)
class _Download:
    """An object, its path below the folder, and its items: one, or those of a tar."""

    key: str
    name: str
    rows: tuple[LedgerRow, ...]

    def is_intact(self, path: Path) -> bool:
        """Whether a downloaded file has the checksums of its rows."""
        return is_intact(path, [(row.member, row.output_sha256) for row in self.rows])


def fetch_dataset(store: Store, job: StoredJob, target: Target) -> dict[str, Any]:
    """Download a dataset's results into a folder. Returns the manifest, which is written last.

    Files with the right checksum are not downloaded again, so a broken fetch can be repeated.

    Raises:
        RequestError: the job has not succeeded, the folder cannot be written, another fetch writes
            into it, or a result would replace a file that this job did not make.
        StoreRefused: an object is missing or damaged.
        LeaseLost: another fetch has taken over.
    """
    if job.manifest is None:
        raise RequestError(
            f"{job.id}: is {job.state}; only succeeded jobs can be fetched; "
            f"`dreamfarm show {job.id}` tells why"
        )
    workdir = LocalWorkdir(target.out, job.id, ".fetching")
    begun = functools.partial(has_record, workdir.path)
    with (
        open_workdir(workdir) as working,
        claim_workdir(workdir, working, begun, is_permanent=False) as (context, lease),
        keep_renewed(lease),
    ):
        earlier = PublishedResults(target.out, job.id)
        publisher = Publisher(
            target, job.id, workdir.path, lease.check, made_earlier=earlier.has_made
        )
        try:
            context.scratch.mkdir()
            _Fetch(store, job, publisher, context.scratch, earlier).run(job.manifest)
        except OSError as error:
            lease.check()
            raise RequestError(
                f"{error.filename or target.out}: {error.strerror}; check the folder, or choose "
                "another --out"
            ) from error
    return job.manifest


@dataclass(frozen=True)
class _Fetch:
    """One fetch of a dataset.

    scratch: a folder for files that are not published yet. earlier: the results that an earlier
    fetch published in the same folder.
    """

    store: Store
    job: StoredJob
    publisher: Publisher
    scratch: Path
    earlier: PublishedResults

    @property
    def _keys(self) -> DatasetKeys:
        return DatasetKeys(self.job.id)

    def run(self, manifest: dict[str, Any]) -> None:
        """Check all names first, then download and publish."""
        sheet = self._keys.sheet
        has_sheet = any(entry.key == sheet for entry in self.store.list_objects(sheet))
        # The sheet comes after the ledger, which tells that the sheet is of this job.
        files = {LEDGER_FILE: f"{self._keys.folder}{manifest['ledger']}"}
        if has_sheet:
            files[SHEET_FILE] = sheet
        are_here = bytearray()
        self.publisher.check_names(chain(files, self._missing_names(are_here)))
        missing = (
            one for one, is_here in zip(self._downloads(), are_here, strict=True) if not is_here
        )
        with ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as threads:
            for batch in batches(missing, _BATCH):
                for _ in threads.map(self._download, batch):
                    pass
        partials = {name: self.scratch / name for name in files}
        for name, key in files.items():
            _copy(self.store, key, partials[name])
        outputs = self.publisher.record(partials)
        for name, partial in partials.items():
            self.publisher.place(name, partial)
        self.publisher.write_manifest({**manifest, "outputs": outputs})

    def _downloads(self) -> Iterator[_Download]:
        keys, files = self._keys, ItemIndex(self.store, self._keys).files
        rows = read_rows(self.store, LedgerKeys(keys.job), files)
        done = (row for row in rows if row.state == "done")
        for output, group in groupby(done, lambda row: row.output or ""):
            rows_of_file = tuple(group)
            name = str(published_path(rows_of_file[0]))
            yield _Download(keys.result(output), name, rows_of_file)

    def _missing_names(self, are_here: bytearray) -> Iterator[str]:
        """Yield the names that the folder lacks. are_here: gets a byte for each file, 1 or 0.

        So each file that is here is hashed once.
        """
        for download in self._downloads():
            are_here.append(self._is_here(download))
            if not are_here[-1]:
                yield download.name

    def _is_here(self, download: _Download) -> bool:
        path = self.publisher.out / download.name
        return path.is_file() and download.is_intact(path)

    def _download(self, download: _Download) -> None:
        partial = self.scratch / f"{download.rows[0].number}{PurePosixPath(download.name).suffix}"
        try:
            _copy(self.store, download.key, partial)
            if not download.is_intact(partial):
                raise StoreRefused(
                    f"{download.key}: checksum mismatch between {self.store.address} and the "
                    "ledger; fetch it again, or, if that does not help, delete the job and submit "
                    "it again"
                )
            self.publisher.place(download.name, partial)
            self._delete_older_tars(download)
        finally:
            partial.unlink(missing_ok=True)

    def _delete_older_tars(self, download: _Download) -> None:
        """Delete local tars of the same samples, which an earlier fetch left before a retry.

        Only a tar that the earlier ledger lists is such a tar, and only if the new one lacks
        nothing of it.
        """
        path = self.publisher.out / download.name
        if download.rows[0].member is None:
            return
        stem = path.stem.partition("@")[0]
        for other in path.parent.glob(f"{stem}*.tar"):
            if other == path or other.stem.partition("@")[0] != stem:
                continue
            name = other.relative_to(self.publisher.out).as_posix()
            if name in self.earlier.names and _contains(path, other):
                self.publisher.check_lease()
                other.unlink()


def _contains(tar: Path, other: Path) -> bool:
    """Whether a tar has all files of another, with the same bytes."""
    try:
        with tarfile.open(tar) as ours, tarfile.open(other) as theirs:
            for member in theirs:
                mine, file = ours.extractfile(member.name), theirs.extractfile(member)
                if mine is None or file is None or mine.read() != file.read():
                    return False
    except (tarfile.TarError, KeyError, OSError):
        return False
    return True


def _copy(store: Store, key: str, path: Path) -> None:
    try:
        store.download(key, path)
    except ObjectNotFound as error:
        raise missing_object(store, key) from error
