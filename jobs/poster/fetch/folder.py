"""The folder that results are fetched into."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from jobs.runtime.manifest import MANIFEST, encode_manifest, write_manifest
from jobs.text.errors import RequestError
from render.pictures.deepzoom import digest, publish_deepzoom

PARTIAL_FOLDER = ".fetching"
"""The hidden folder beside the results in which files wait until all have been checked, and from
which a fetch that broke off goes on."""


_HASH_DIGITS = 12


Output = dict[str, Any]
"""One of a manifest's outputs, whose path is from the manifest."""


class FetchFolder:
    """A folder, and the job whose results go there.

    manifest: the job's in the store. Files wait apart for each: the same job, deleted and rendered
    again elsewhere, may have other bytes in files of the same names and lengths.
    """

    def __init__(self, out: Path, job: str, manifest: dict[str, Any]) -> None:
        self.out, self._job = out, job
        self._waiting = out / PARTIAL_FOLDER / job
        self.working = (
            self._waiting / hashlib.sha256(encode_manifest(manifest)).hexdigest()[:_HASH_DIGITS]
        )

    @contextmanager
    def open(self) -> Iterator[None]:
        """Within, the working folder is there; after an error what it holds stays.

        Raises RequestError for what happens to its disk.
        """
        made = [folder for folder in (self.out, *self.out.parents) if not folder.exists()]
        try:
            self.working.mkdir(parents=True, exist_ok=True)
            yield
            shutil.rmtree(self._waiting)
        except OSError as why:
            where = why.filename or self.out
            raise RequestError(
                f"{where}: {why.strerror}; check the folder, or choose another --out"
            ) from why
        finally:
            _remove_empty_folders(self._waiting, [self._waiting.parent, *made])

    def check_names(self, names: Iterable[str]) -> None:
        """RequestError where a folder stands in the place of a file that will be written."""
        for name in (MANIFEST, *names):
            if (self.out / name).is_dir():
                raise RequestError(f"{self.out / name}: is a folder; remove it, or change --out")

    def check_free_space(self, needed: int) -> None:
        """RequestError where its disk has less than so many bytes left."""
        free = shutil.disk_usage(self.working).free
        if needed > free:
            raise RequestError(
                f"{self.out}: the disk is too small: {needed / 1e6:.1f} MB are needed and "
                f"{free / 1e6:.1f} MB are free; free some, or choose another --out"
            )

    def has_file(self, name: str, sha256: str) -> bool:
        """Whether a result is there, with that checksum."""
        path = self.out / name
        return path.is_file() and f"sha256:{digest(path)}" == sha256

    def outputs(self) -> list[Output]:
        """Those of the manifest that lies there, if it is this job's, as far as they are there."""
        try:
            content = json.loads((self.out / MANIFEST).read_bytes())
            found = content["outputs"] if content["job"] == self._job else []
            return [one for one in found if (self.out / one["path"]).is_file()]
        except (OSError, ValueError, LookupError, TypeError):
            return []

    def publish(self, names: Iterable[str], manifest: dict[str, Any]) -> None:
        """Move finished files to where they belong, and write the manifest, last."""
        for name in names:
            # A manifest that is there speaks of the files that are replaced now.
            (self.out / MANIFEST).unlink(missing_ok=True)
            made, final = self.working / name, self.out / name
            if final.suffix == ".dzi":
                publish_deepzoom(made, final)
            else:
                made.replace(final)
        write_manifest(self.out, manifest)


def _remove_empty_folders(folder: Path, above: Iterable[Path]) -> None:
    """Remove folders in which nothing is, those within first, then some above."""
    below = [Path(place) for place, _, _ in os.walk(folder, topdown=False)]
    for empty in (*below, *above):
        with suppress(OSError):
            empty.rmdir()
