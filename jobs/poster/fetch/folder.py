"""The folder for fetched results, and its hidden working folder."""

import hashlib
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from jobs.records.manifest import MANIFEST, encode_manifest
from jobs.runtime.local_workdir import LocalWorkdir, claim_workdir, keep_renewed, open_workdir
from jobs.runtime.ownership import read_mapping
from jobs.runtime.publish import Publisher, StagedResult, Target
from jobs.text.errors import RequestError
from render.pictures.write import output_digest

PARTIAL_FOLDER = ".fetching"
"""The hidden folder beside the results. Files stay there until all are checked, and an interrupted
fetch resumes from there."""


_HASH_DIGITS = 12
"""Digits of a manifest's hash in the name of its working folder."""


OutputEntry = dict[str, Any]
"""One of a manifest's outputs. Its path is relative to the manifest."""


class FetchFolder:
    """The folder for the results of one job.

    manifest: of the job in the store. Each manifest has its own working folder, because a job that
    is deleted and rendered again may have other bytes in files of the same names and sizes.
    """

    def __init__(self, target: Target, job: str, manifest: dict[str, Any]) -> None:
        self.out, self._target, self._job = target.out, target, job
        self._workdir = LocalWorkdir(target.out, job, PARTIAL_FOLDER)
        hashed = hashlib.sha256(encode_manifest(manifest)).hexdigest()[:_HASH_DIGITS]
        self.working = self._workdir.path / hashed

    @contextmanager
    def open(self, names: Iterable[str]) -> Iterator[Publisher]:
        """Create the working folder, and remove it at the end of the block.

        After an error, its files stay. Raises RequestError for errors of the disk, if another fetch
        writes into the folder, or if a result would replace a file that this job did not make.
        """
        with (
            open_workdir(self._workdir) as store,
            claim_workdir(self._workdir, store, self._can_resume, is_permanent=False) as (_, lease),
            keep_renewed(lease),
        ):
            try:
                self.working.mkdir(exist_ok=True)
                publisher = Publisher(self._target, self._job, self.working, lease.check)
                publisher.check_names(names)
                yield publisher
            except OSError as why:
                lease.check()
                where = why.filename or self.out
                raise RequestError(
                    f"{where}: {why.strerror}; check the folder, or choose another --out"
                ) from why

    def _can_resume(self) -> bool:
        return self.working.is_dir() and any(self.working.iterdir())

    def check_free_space(self, needed: int) -> None:
        """Check that the disk has this many bytes left. Raises RequestError."""
        free = shutil.disk_usage(self.working).free
        if needed > free:
            raise RequestError(
                f"{self.out}: the disk is too small: {needed / 1e6:.1f} MB are needed and "
                f"{free / 1e6:.1f} MB are free; free some, or choose another --out"
            )

    def has_file(self, name: str, sha256: str) -> bool:
        """Whether the folder has this file, with this checksum."""
        path = self.out / name
        return path.is_file() and output_digest(path) == sha256

    def outputs(self) -> list[OutputEntry]:
        """The outputs that the folder's manifest names and the folder has; none of other jobs."""
        content = read_mapping(self.out / MANIFEST)
        try:
            entries = content["outputs"] if content["job"] == self._job else []
            return [one for one in entries if (self.out / one["path"]).is_file()]
        except (OSError, ValueError, LookupError, TypeError):
            return []

    def staged(self, entry: OutputEntry) -> StagedResult:
        """A finished output in the working folder."""
        return StagedResult(entry["path"], self.working / entry["path"], entry["sha256"])
