"""The rule of what a job may put into a folder of results. It replaces nothing that is not its own.

A result goes to a name where nothing is. What is there already may be replaced only if this job
made it, or if the user allowed it by `overwrite`. A file that the job reads is never replaced.

A job made what the manifest in the folder lists, if that is a manifest of the same job. It also
made what an interrupted publication recorded in its working folder.
"""

import errno
import filecmp
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from jobs.records.manifest import MANIFEST, encode_manifest
from jobs.store.folder_files import NO_HARD_LINKS
from jobs.text.errors import RequestError
from render.pictures.deepzoom import tiles_folder

_RECORD = "publishing.json"
"""The name of the record in a working folder, by result: its checksum, and where it was staged."""

_MAX_MANIFEST = 1 << 26
"""Bytes. A larger file is no manifest."""


@dataclass(frozen=True)
class Target:
    """The folder that a user wants results in.

    overwrite: whether to replace files of others. spec_file: the file that the spec came from.
    """

    out: Path
    overwrite: bool = False
    spec_file: Path | None = None


class StagedResult(NamedTuple):
    """A finished result before it is published. path: of its file, or of its .dzi."""

    name: str
    path: Path
    sha256: str


def check_held() -> None:
    """The check of a lease where there is none to lose."""


class Publisher:
    """Publishes the results of one job into a folder.

    Args:
        target: the folder.
        job: the id of the job.
        working: a folder of this job on the same file system, for what is not published yet.
        check_lease: raises LeaseLost. It is called right before each change of the folder.
        files_read: returns the files that the job reads. It is called only if a name is taken.
        more_names: returns further names of results that the job published earlier.
    """

    def __init__(
        self,
        target: Target,
        job: str,
        working: Path,
        check_lease: Callable[[], None] = check_held,
        files_read: Callable[[], Iterable[Path]] = tuple,
        more_names: Callable[[], Container[str]] = tuple,
    ) -> None:
        self.out, self._target = target.out, target
        self._job, self._working = job, working
        self.check_lease = check_lease
        self._files_read, self._more_names = files_read, more_names

    def check_names(self, names: Iterable[str]) -> None:
        """Check that results and their manifest may be published. Raises RequestError.

        names: paths below the folder, with slashes. That of a DeepZoom is its .dzi.
        """
        safe_folders = {self.out}
        for name in (MANIFEST, *names):
            path = self.out / name
            self._check_folders(path, safe_folders)
            self._check_name(name, path)
            if path.suffix == ".dzi":
                self._check_name(name, tiles_folder(path))

    def publish(self, results: Sequence[StagedResult], manifest: dict[str, Any]) -> None:
        """Move the results to their names, and write the manifest last.

        After an interruption, the same call continues. Raises RequestError, LeaseLost and OSError.
        """
        self._write_record(results)
        for result in results:
            if result.path.exists():
                self.place(result.name, result.path)
            elif not self._was_recorded(result.name):
                raise RequestError(
                    f"{self.out / result.name}: is incomplete after an interruption; remove "
                    f"{self._working}, and run the command again"
                )
        self.write_manifest(manifest)

    def record(self, files: Mapping[str, Path]) -> None:
        """Record staged files as those of this job, by name. It keeps them after an interruption.

        Raises OSError.
        """
        self._write_record(StagedResult(name, path, _digest(path)) for name, path in files.items())

    def place(self, name: str, staged: Path) -> None:
        """Move one finished result to its name, or leave it if the same bytes are there already.

        Raises RequestError if the name belongs to another file, LeaseLost and OSError.
        """
        path = self.out / name
        self.check_lease()
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".dzi":
            self._place_deepzoom(name, staged, path)
        else:
            self._place_file(name, staged, path)

    def write_manifest(self, manifest: dict[str, Any]) -> None:
        """Write the manifest, atomically. Raises RequestError, LeaseLost and OSError."""
        # A new file each time: an earlier one may be a hard link to the published manifest.
        staged = self._working / f"{MANIFEST}.{secrets.token_hex(4)}"
        try:
            staged.write_bytes(encode_manifest(manifest))
            self.check_lease()
            self._place_file(MANIFEST, staged, self.out / MANIFEST)
        finally:
            staged.unlink(missing_ok=True)

    def _place_file(self, name: str, staged: Path, path: Path) -> None:
        if self._create(name, staged, path):
            return
        if path.is_file() and (path.samefile(staged) or filecmp.cmp(path, staged, shallow=False)):
            return
        self._check_name(name, path)
        self.check_lease()
        staged.replace(path)
        self._claim_of(name).unlink(missing_ok=True)

    def _create(self, name: str, staged: Path, path: Path) -> bool:
        """Give a staged file its final name, atomically. Returns False if the name is taken."""
        try:
            path.hardlink_to(staged)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in NO_HARD_LINKS:
                raise
            return self._create_without_links(name, staged, path)
        return True

    def _create_without_links(self, name: str, staged: Path, path: Path) -> bool:
        """Take the name by an empty file, and replace that: some file systems have no hard links.

        A claim in the working folder tells after an interruption that the empty file is ours.
        """
        claim = self._claim_of(name)
        if os.path.lexists(path):
            return False
        claim.touch()
        try:
            path.touch(exist_ok=False)
        except FileExistsError:
            claim.unlink(missing_ok=True)
            return False
        try:
            staged.replace(path)
        except OSError:
            path.unlink(missing_ok=True)
            claim.unlink(missing_ok=True)
            raise
        claim.unlink(missing_ok=True)
        return True

    def _claim_of(self, name: str) -> Path:
        return self._working / f"claim-{hashlib.sha256(name.encode()).hexdigest()[:16]}"

    def _place_deepzoom(self, name: str, staged: Path, path: Path) -> None:
        """Move the tiles first, so that a descriptor always has its tiles."""
        tiles = tiles_folder(path)
        if path.is_file() and tiles.is_dir() and _digest(path) == _digest(staged):
            return
        # One sync of the disk: an fsync of each of tens of thousands of tiles takes minutes.
        os.sync()
        if tiles_folder(staged).is_dir():
            self._remove_deepzoom(name, path)
            self.check_lease()
            try:
                # A rename replaces no folder, except an empty one.
                tiles_folder(staged).rename(tiles)
            except (FileExistsError, NotADirectoryError) as error:
                raise self._refusal(tiles) from error
            except OSError as error:
                raise self._refusal(tiles) if error.errno == errno.ENOTEMPTY else error from error
        self.check_lease()
        self._place_file(name, staged, path)

    def _remove_deepzoom(self, name: str, path: Path) -> None:
        """Move an earlier DeepZoom into the working folder, if it may be replaced."""
        for old in (path, tiles_folder(path)):
            self._check_name(name, old)
        for old in (path, tiles_folder(path)):
            if os.path.lexists(old):
                self.check_lease()
                old.rename(self._working / f"replaced-{secrets.token_hex(4)}")

    def _check_folders(self, path: Path, safe: set[Path]) -> None:
        """Check that no file is in the place of a folder above a result."""
        missing = []
        for folder in path.parents:
            if folder in safe:
                break
            if os.path.lexists(folder) and not folder.is_dir():
                raise RequestError(f"{folder}: is not a folder; choose another --out")
            missing.append(folder)
        safe.update(missing)

    def _check_name(self, name: str, path: Path) -> None:
        """Check that a result may replace what is at its path. Raises RequestError."""
        if not os.path.lexists(path):
            return
        if self._is_read(path):
            raise RequestError(
                f"{path}: this job reads it, so no result may replace it; choose another --out, "
                "or another name"
            )
        is_tiles = path != self.out / name
        if path.is_dir() and not is_tiles:
            raise RequestError(f"{path}: is a folder; remove it, or choose another --out")
        if not (self._target.overwrite or self._is_own(name, path)):
            raise self._refusal(path)

    def _refusal(self, path: Path) -> RequestError:
        other = self._read_manifest().get("job") if path.name == MANIFEST else None
        owner = f"belongs to {other}" if isinstance(other, str) else "is not a result of this job"
        return RequestError(
            f"{path}: exists already and {owner}; choose another --out, or replace it with "
            "--overwrite"
        )

    def _is_read(self, path: Path) -> bool:
        """Whether the job reads the file at a path, or any file below it."""
        files, folders = self._read
        if path.resolve() in folders:
            return True
        return path.exists() and _file_id(path) in files

    @cached_property
    def _read(self) -> tuple[set[tuple[int, int]], set[Path]]:
        """The files that the job reads, by device and number, and the folders above them."""
        spec = self._target.spec_file
        files: set[tuple[int, int]] = set()
        folders: set[Path] = set()
        for path in chain(self._files_read(), () if spec is None else (spec,)):
            # The address of a bucket, a file that is gone, or a NUL in a name.
            with suppress(OSError, ValueError):
                files.add(_file_id(path))
                folders.update(path.resolve().parents)
        return files, folders

    def _is_own(self, name: str, path: Path) -> bool:
        if path.is_symlink():
            return False
        if path.is_file() and path.stat().st_size == 0 and self._claim_of(name).exists():
            return True
        if name == MANIFEST:
            return bool(self._read_manifest().get("job") == self._job)
        return name in self._listed or name in self._other_names or self._was_recorded(name)

    def _read_manifest(self) -> dict[str, Any]:
        return read_mapping(self.out / MANIFEST)

    @cached_property
    def _listed(self) -> set[str]:
        """The results that the manifest in the folder lists, if it is of this job."""
        manifest = self._read_manifest()
        outputs = manifest.get("outputs")
        if manifest.get("job") != self._job or not isinstance(outputs, list):
            return set()
        return {str(one["path"]) for one in outputs if isinstance(one, dict) and "path" in one}

    @cached_property
    def _other_names(self) -> Container[str]:
        return self._more_names()

    def _write_record(self, results: Iterable[StagedResult]) -> None:
        earlier = read_mapping(self._working / _RECORD)
        record = {
            one.name: {
                "sha256": one.sha256,
                "staged": os.path.relpath(one.path, self._working),
            }
            for one in results
        }
        partial = self._working / f".{_RECORD}.partial"
        partial.write_text(json.dumps({**earlier, **record}), "utf-8")
        partial.replace(self._working / _RECORD)

    def _was_recorded(self, name: str) -> bool:
        """Whether an interrupted publication has put this result there."""
        entry = read_mapping(self._working / _RECORD).get(name)
        if not isinstance(entry, Mapping):
            return False
        path = descriptor = self.out / name
        if path.suffix == ".dzi" and not os.path.lexists(path):
            descriptor = self._working / str(entry.get("staged"))
        try:
            return _digest(descriptor, tiles_folder(path)) == entry.get("sha256")
        except OSError:
            return False


def _digest(path: Path, tiles: Path | None = None) -> str:
    # Imported here because it loads numpy, which commands without results do not need.
    from render.pictures.write import output_digest

    return output_digest(path, tiles)


def _file_id(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_dev, stat.st_ino


def read_mapping(path: Path) -> dict[str, Any]:
    """The JSON object in a file; empty if the file has anything else."""
    try:
        may_be = path.is_file() and path.stat().st_size <= _MAX_MANIFEST
        content = json.loads(path.read_bytes()) if may_be else None
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
