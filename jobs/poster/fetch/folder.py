"""The folder for fetched results, and its hidden working folder."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from jobs.records.manifest import MANIFEST, encode_manifest, write_manifest
from jobs.text.errors import RequestError
from render.pictures.deepzoom import digest, publish_deepzoom

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

    def __init__(self, out: Path, job: str, manifest: dict[str, Any]) -> None:
        self.out, self._job = out, job
        self._partial = out / PARTIAL_FOLDER / job
        self.working = (
            self._partial / hashlib.sha256(encode_manifest(manifest)).hexdigest()[:_HASH_DIGITS]
        )

    @contextmanager
    def open(self) -> Iterator[None]:
        """Create the working folder, and remove it at the end of the block.

        After an error, its files stay. Raises RequestError for errors of the disk.
        """
        created = [folder for folder in (self.out, *self.out.parents) if not folder.exists()]
        try:
            self.working.mkdir(parents=True, exist_ok=True)
            yield
            shutil.rmtree(self._partial)
        except OSError as why:
            where = why.filename or self.out
            raise RequestError(
                f"{where}: {why.strerror}; check the folder, or choose another --out"
            ) from why
        finally:
            _remove_empty_folders(self._partial, [self._partial.parent, *created])

    def check_names(self, names: Iterable[str]) -> None:
        """Check that no file would replace a folder. Raises RequestError."""
        for name in (MANIFEST, *names):
            if (self.out / name).is_dir():
                raise RequestError(
                    f"{self.out / name}: is a folder; remove it, or choose another --out"
                )

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
        return path.is_file() and f"sha256:{digest(path)}" == sha256

    def outputs(self) -> list[OutputEntry]:
        """The outputs that the folder's manifest names and the folder has; none of other jobs."""
        try:
            content = json.loads((self.out / MANIFEST).read_bytes())
            entries = content["outputs"] if content["job"] == self._job else []
            return [one for one in entries if (self.out / one["path"]).is_file()]
        except (OSError, ValueError, LookupError, TypeError):
            return []

    def publish(self, names: Iterable[str], manifest: dict[str, Any]) -> None:
        """Move the finished files to their names, and write the manifest last."""
        for name in names:
            # The old manifest is wrong as soon as its files are replaced.
            (self.out / MANIFEST).unlink(missing_ok=True)
            partial, final = self.working / name, self.out / name
            if final.suffix == ".dzi":
                publish_deepzoom(partial, final)
            else:
                partial.replace(final)
        write_manifest(self.out, manifest)


def _remove_empty_folders(folder: Path, above: Iterable[Path]) -> None:
    """Remove the empty folders below a folder, and then those of `above` that are empty."""
    below = [Path(path) for path, _, _ in os.walk(folder, topdown=False)]
    for empty in (*below, *above):
        with suppress(OSError):
            empty.rmdir()
