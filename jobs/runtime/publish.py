"""The rule of what a job may put into a folder of results. It replaces nothing that is not its own.

A result goes to a name where nothing is. What is there already may be replaced only if this job
made it and nobody has changed it, or if the user allowed it by `overwrite`. A file that the job
reads is never replaced.
"""

import errno
import filecmp
import os
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from jobs.records.manifest import MANIFEST, encode_manifest
from jobs.runtime.ownership import Ownership, digest_of
from jobs.store.folder_files import NO_HARD_LINKS
from jobs.text.errors import RequestError
from render.pictures.deepzoom import has_tiles, tiles_folder


@dataclass(frozen=True)
class Target:
    """The folder that a user wants results in.

    overwrite: whether to replace files of others. spec_file: the file that the spec came from.
    keeps_octaves: whether the hidden folder stays, so that a poster can be dreamed again from its
    octaves. older: the folder of results of the picture that a redo changes.
    """

    out: Path
    overwrite: bool = False
    spec_file: Path | None = None
    keeps_octaves: bool = False
    older: Path | None = None


class StagedResult(NamedTuple):
    """A finished result before it is published. path: of its file, or of its .dzi."""

    name: str
    path: Path
    sha256: str


def check_held() -> None:
    """The check of a lease where there is none to lose."""


def made_nothing(_name: str, _path: Path) -> None:
    """Tell whether a job has made a result, where only the manifest in the folder can tell."""


class Publisher:
    """Publishes the results of one job into a folder.

    Args:
        target: the folder.
        job: the id of the job.
        working: a folder of this job on the same file system, for what is not published yet.
        check_lease: raises LeaseLost. It is called right before each change of the folder.
        files_read: returns the files that the job reads. It is called only if a name is taken.
        made_earlier: tells by other records than the manifest in the folder whether the job has
            made a result; see `Ownership`.
    """

    def __init__(
        self,
        target: Target,
        job: str,
        working: Path,
        check_lease: Callable[[], None] = check_held,
        files_read: Callable[[], Iterable[Path]] = tuple,
        made_earlier: Callable[[str, Path], bool | None] = made_nothing,
    ) -> None:
        self.out, self._overwrite, self._working = target.out, target.overwrite, working
        self.check_lease = check_lease
        specs = () if target.spec_file is None else (target.spec_file,)
        self._ownership = Ownership(
            target.out, job, working, lambda: chain(files_read(), specs), made_earlier
        )

    def check_names(self, names: Iterable[str]) -> None:
        """Check that results and their manifest may be published. Raises RequestError.

        names: paths below the folder, with slashes. That of a DeepZoom is its .dzi.
        """
        safe_folders = {self.out}
        for name in (MANIFEST, *names):
            path = self.out / name
            self._check_folders(path, safe_folders)
            self._check_name(name, path)

    def publish(self, results: Sequence[StagedResult], manifest: dict[str, Any]) -> None:
        """Move the results to their names, and write the manifest last.

        After an interruption, the same call continues. Raises RequestError, LeaseLost and OSError.
        """
        self._ownership.write_record({one.name: (one.path, one.sha256) for one in results})
        for result in results:
            if result.path.exists():
                self.place(result.name, result.path)
            elif not self._ownership.was_recorded(result.name):
                raise RequestError(
                    f"{self.out / result.name}: is incomplete after an interruption; remove "
                    f"{self._working}, and run the command again"
                )
        self.write_manifest(manifest)

    def record(self, files: Mapping[str, Path]) -> list[dict[str, str]]:
        """Record staged files as those of this job, by name. It keeps them after an interruption.

        Returns their entries for the manifest. Raises OSError.
        """
        staged = {name: (path, digest_of(path)) for name, path in files.items()}
        self._ownership.write_record(staged)
        return [{"path": name, "sha256": sha256} for name, (_, sha256) in staged.items()]

    def place(self, name: str, staged: Path) -> None:
        """Move one finished result to its name, or leave it if the same bytes are there already.

        Raises RequestError if the name belongs to another file, LeaseLost and OSError.
        """
        path = self.out / name
        self.check_lease()
        path.parent.mkdir(parents=True, exist_ok=True)
        if has_tiles(path):
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
        self._ownership.claim_of(name).unlink(missing_ok=True)

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
        claim = self._ownership.claim_of(name)
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

    def _place_deepzoom(self, name: str, staged: Path, path: Path) -> None:
        """Move the tiles first, so that a descriptor always has its tiles."""
        tiles = tiles_folder(path)
        if path.is_file() and tiles.is_dir() and digest_of(path) == digest_of(staged):
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
                raise self._refusal(name, tiles) from error
            except OSError as error:
                is_taken = error.errno == errno.ENOTEMPTY
                raise self._refusal(name, tiles) if is_taken else error from error
        self.check_lease()
        self._place_file(name, staged, path)

    def _remove_deepzoom(self, name: str, path: Path) -> None:
        """Move an earlier DeepZoom into the working folder, if it may be replaced."""
        self._check_name(name, path)
        # Without the descriptor, the tiles have no checksum that could tell whose they are.
        marker = self._ownership.removal_of(name)
        marker.touch()
        for old in (path, tiles_folder(path)):
            if os.path.lexists(old):
                self.check_lease()
                old.rename(self._working / f"replaced-{secrets.token_hex(4)}")
        marker.unlink()

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
        places = [path, tiles_folder(path)] if has_tiles(path) else [path]
        taken = [place for place in places if os.path.lexists(place)]
        for place in taken:
            if self._ownership.is_read(place):
                raise RequestError(
                    f"{place}: this job reads it, so no result may replace it; choose another "
                    "--out, or another name"
                )
            if place == path and place.is_dir():
                raise RequestError(f"{place}: is a folder; remove it, or choose another --out")
        if self._overwrite:
            return
        for place in taken:
            if not self._ownership.is_own(name, place):
                raise self._refusal(name, place)

    def _refusal(self, name: str, path: Path) -> RequestError:
        return RequestError(
            f"{path}: {self._ownership.describe(name, path)}; choose another --out, or replace it "
            "with --overwrite"
        )
