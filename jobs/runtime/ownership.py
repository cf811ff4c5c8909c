"""What in a folder of results is of one job, and still as the job made it.

A job made what the manifest in the folder lists, if that is a manifest of the same job. It also
made what an interrupted publication recorded in its working folder. A file whose checksum differs
from the one there has been changed since, so it is the user's.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from jobs.records.manifest import MANIFEST
from render.pictures.deepzoom import has_tiles, tiles_folder

_RECORD = "publishing.json"
"""The name of the record in a working folder, by result: its checksum, the checksums that were
recorded before, and where it was staged."""

_MAX_MANIFEST = 1 << 26
"""Bytes. A larger file is no manifest."""


class Ownership:
    """Tells which files of a folder one job has made, and which ones it reads.

    Args:
        out: the folder.
        job: the id of the job.
        working: the folder of this job for what is not published yet.
        files_read: returns the files that the job reads. It is called only if a name is taken.
        made_earlier: tells by other records than the manifest whether the job has made a result
            with this name: True if the file at the path is that, False if it has been changed
            since, None if the job has made none.
    """

    def __init__(
        self,
        out: Path,
        job: str,
        working: Path,
        files_read: Callable[[], Iterable[Path]],
        made_earlier: Callable[[str, Path], bool | None],
    ) -> None:
        self._out, self._job, self._working = out, job, working
        self._files_read, self._made_earlier = files_read, made_earlier

    def is_read(self, path: Path) -> bool:
        """Whether the job reads the file at a path, or any file below it."""
        files, folders = self._read
        if path.resolve() in folders:
            return True
        return path.exists() and _file_id(path) in files

    def is_own(self, name: str, path: Path) -> bool:
        """Whether the job made what is at a path, and nobody has changed it.

        name: of the result. For a DeepZoom, the path may be that of its tiles.
        """
        if path.is_symlink():
            return False
        if path.is_file() and path.stat().st_size == 0 and self.claim_of(name).exists():
            return True
        if name == MANIFEST:
            return bool(self._manifest().get("job") == self._job)
        # A descriptor is the first to be moved, so one that is there now is not what was left.
        is_left = self.removal_of(name).exists() and not os.path.lexists(self._out / name)
        if is_left or self._has(name, _recorded(self._entry(name))):
            return True
        if name in self._listed:
            return self._has(name, [self._listed[name]])
        return self._made_earlier(name, path) is True

    def describe(self, name: str, path: Path) -> str:
        """Say of what is at a path, and is not the job's own, whose it is."""
        if path.name == MANIFEST:
            other = self._manifest().get("job")
            if isinstance(other, str):
                return f"exists already and belongs to {other}"
        elif name in self._listed or self._made_earlier(name, path) is False:
            return "has been changed since this job made it"
        return "exists already and is not a result of this job"

    def claim_of(self, name: str) -> Path:
        """The file that tells that the empty file with this name is of this job."""
        return self._marker("claim", name)

    def removal_of(self, name: str) -> Path:
        """The file that tells that what is left of the DeepZoom with this name is of this job."""
        return self._marker("removal", name)

    def _marker(self, kind: str, name: str) -> Path:
        return self._working / f"{kind}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"

    def write_record(self, staged: Mapping[str, tuple[Path, str]]) -> None:
        """Record finished results before they are published: their paths and checksums, by name."""
        earlier = read_mapping(self._working / _RECORD)
        record = {
            name: {
                "sha256": sha256,
                # An interrupted publication may have put one of them there.
                "before": [one for one in _recorded(earlier.get(name)) if one != sha256],
                "staged": os.path.relpath(path, self._working),
            }
            for name, (path, sha256) in staged.items()
        }
        partial = self._working / f".{_RECORD}.partial"
        partial.write_text(json.dumps({**earlier, **record}), "utf-8")
        partial.replace(self._working / _RECORD)

    def was_recorded(self, name: str) -> bool:
        """Whether an interrupted publication has put the result there that was recorded last."""
        return self._has(name, _recorded(self._entry(name))[:1])

    def _has(self, name: str, digests: Sequence[object]) -> bool:
        """Whether one of these checksums is that of the result with this name."""
        if not digests:
            return False
        path = descriptor = self._out / name
        if has_tiles(path) and not os.path.lexists(path):
            descriptor = self._working / str(self._entry(name).get("staged"))
        try:
            return digest_of(descriptor, tiles_folder(path)) in digests
        except OSError:
            return False

    def _entry(self, name: str) -> Mapping[str, Any]:
        entry = read_mapping(self._working / _RECORD).get(name)
        return entry if isinstance(entry, Mapping) else {}

    def _manifest(self) -> dict[str, Any]:
        return read_mapping(self._out / MANIFEST)

    @cached_property
    def _read(self) -> tuple[set[tuple[int, int]], set[Path]]:
        """The files that the job reads, by device and number, and the folders above them."""
        files: set[tuple[int, int]] = set()
        folders: set[Path] = set()
        for path in self._files_read():
            # The address of a bucket, a file that is gone, or a NUL in a name.
            with suppress(OSError, ValueError):
                files.add(_file_id(path))
                folders.update(path.resolve().parents)
        return files, folders

    @cached_property
    def _listed(self) -> dict[str, object]:
        """The checksums of what the manifest in the folder lists, if it is of this job."""
        manifest = self._manifest()
        outputs = manifest.get("outputs")
        if manifest.get("job") != self._job or not isinstance(outputs, list):
            return {}
        entries = (one for one in outputs if isinstance(one, dict) and "path" in one)
        return {str(one["path"]): one.get("sha256") for one in entries}


def has_record(working: Path) -> bool:
    """Whether a publication from a working folder has begun."""
    return (working / _RECORD).exists()


def _recorded(entry: object) -> list[object]:
    """The checksums in an entry of a record, the latest first; none if it is no entry."""
    if not isinstance(entry, Mapping) or "sha256" not in entry:
        return []
    before = entry.get("before")
    return [entry["sha256"], *(before if isinstance(before, list) else [])]


def digest_of(path: Path, tiles: Path | None = None) -> str:
    """The checksum of a result, as in manifests. Raises OSError.

    tiles: those of a DeepZoom; by default those beside its descriptor.
    """
    # Imported here because it loads numpy, which commands without results do not need.
    from render.pictures.write import output_digest

    return output_digest(path, tiles)


def read_mapping(path: Path) -> dict[str, Any]:
    """The JSON object in a file; empty if the file has anything else."""
    try:
        may_be = path.is_file() and path.stat().st_size <= _MAX_MANIFEST
        content = json.loads(path.read_bytes()) if may_be else None
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _file_id(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_dev, stat.st_ino
