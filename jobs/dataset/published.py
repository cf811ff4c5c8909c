"""The published results of a dataset: their paths in a folder, and whether they are intact."""

import hashlib
import tarfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath

from jobs.dataset.ledger.rows import LedgerRow
from jobs.dataset.tar_shards import published_tar_name
from jobs.planning.identity import file_digest
from jobs.records.record import invalid_record
from jobs.text.errors import InvalidRecord

LEDGER_FILE, SHEET_FILE = "ledger.parquet", "contact-sheet.jpg"
"""Files beside the published results."""

MemberDigest = tuple[str | None, str | None]
"""A result's name in a tar, or None for a file of its own, and its checksum."""


class PublishedResults:
    """The results that a job has published in a folder, by the ledger there."""

    def __init__(self, folder: Path, job: str) -> None:
        self._folder, self._job = folder, job

    @cached_property
    def _results(self) -> dict[str, list[MemberDigest]]:
        # Arrow takes a while to import.
        from jobs.dataset.ledger.parquet import read_done_rows

        found = defaultdict(list)
        try:
            for row in read_done_rows(self._folder / LEDGER_FILE, self._job):
                found[str(published_path(row))].append((row.member, row.output_sha256))
        except InvalidRecord:
            return {}
        return dict(found)

    @property
    def names(self) -> set[str]:
        """The paths of all of them, with the ledger and the contact sheet; empty if there are none.

        They have slashes, and are relative to the folder.
        """
        names = set(self._results)
        return names | {LEDGER_FILE, SHEET_FILE} if names else names

    def has_made(self, name: str, path: Path) -> bool | None:
        """Whether the file at a path is one of them, as the job made it; None if it made none.

        The ledger has no checksum of itself and of the sheet; the manifest has.
        """
        if name in self._results:
            return is_intact(path, self._results[name])
        return True if name in self.names else None


def is_intact(path: Path, members: Sequence[MemberDigest]) -> bool:
    """Whether a file has its checksum, or every member of a tar its own."""
    member, sha256 = members[0]
    try:
        if member is None:
            return file_digest(path) == sha256
        with tarfile.open(path) as tar:
            return all(found == expected for found, expected in _member_digests(tar, members))
    except (OSError, tarfile.TarError, KeyError):
        return False


def _member_digests(
    tar: tarfile.TarFile, members: Iterable[MemberDigest]
) -> Iterator[tuple[str, str | None]]:
    for member, sha256 in members:
        file = tar.extractfile(member or "")
        content = b"" if file is None else file.read()
        yield f"sha256:{hashlib.sha256(content).hexdigest()}", sha256


def published_path(row: LedgerRow) -> PurePosixPath:
    """Return the path of a done item's file, or of its tar, below the folder of the results.

    Raises InvalidRecord for a path outside that folder: a row comes from a store, which is not
    trusted.
    """
    output = row.output or ""
    name = published_tar_name(output) if row.member else f"{row.name}{PurePosixPath(output).suffix}"
    path = PurePosixPath(name)
    if not output or path.is_absolute() or ".." in path.parts or "\0" in name:
        raise invalid_record(f"item {row.number}", f"{name!r} is not a valid result name")
    return path
