"""File operations of a folder store: listing, moving into place, partial files, and errors.

A store writes into a partial file first, and then moves it to its key in one atomic operation.

Others may write into the folder. So only regular files are opened, links to folders are not
followed, and what lies at one key never stops the listing of the others.
"""

import errno
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from jobs.store.errors import NotAnObject, StoreError, StoreRefused, StoreUnreachable
from jobs.store.key import PARTIAL, is_key
from jobs.store.store import ObjectInfo, UnfinishedUpload

_ATTEMPTS = 100

_SLASH = "!"
"""In names of partial files, in place of a slash. No key has it."""


MoveFile = Callable[[Path, Path], bool]
"""Moves a file from the first path to the second; returns whether it did."""


def list_children(root: Path, folder: str) -> Iterator[tuple[str, "os.DirEntry[str]"]]:
    """List the entries of a folder with their keys, in the order in which a bucket lists them.

    Links that lead out of the root, or to folders, are skipped.
    """
    try:
        with os.scandir(root / folder) as entries:
            # A bucket compares whole keys, where a slash follows the name of a folder.
            items = sorted(
                (f"{item.name}/" if is_folder(item) else item.name, item) for item in entries
            )
    except (FileNotFoundError, NotADirectoryError):
        return
    for _, item in items:
        key = f"{folder}/{item.name}" if folder else item.name
        if is_key(key) and not (item.is_symlink() and _is_skipped_link(root, Path(item.path))):
            yield key, item


def is_folder(item: "os.DirEntry[str]") -> bool:
    """Whether an entry is a folder itself, not a link to one: links could form a circle."""
    return item.is_dir(follow_symlinks=False)


def _is_skipped_link(root: Path, path: Path) -> bool:
    return is_outside(root, path) or Path(os.path.realpath(path)).is_dir()


def is_outside(root: Path, path: Path) -> bool:
    """Whether a path is outside the root, after resolving the links of both."""
    return not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))


def is_linked(root: Path, folder: Path) -> bool:
    """Whether the path from the root to a folder contains a link, or leads out of the root."""
    real_root = Path(os.path.realpath(root))
    return Path(os.path.realpath(folder)) != real_root / folder.relative_to(root)


def list_files(root: Path, folder: str, prefix: str) -> Iterator[ObjectInfo]:
    """List the files below a folder that have a key prefix, sorted by key."""
    for key, item in list_children(root, folder):
        if is_folder(item):
            below = f"{key}/"
            if below.startswith(prefix) or prefix.startswith(below):
                yield from list_files(root, key, prefix)
        elif key.startswith(prefix):
            # It may have been deleted meanwhile.
            with suppress(FileNotFoundError):
                found = _file_status(item)
                yield ObjectInfo(key, found.st_size, found.st_mtime)


def _file_status(item: "os.DirEntry[str]") -> os.stat_result:
    """The status of a file; of a link that leads nowhere, its own. Raises FileNotFoundError."""
    try:
        return item.stat()
    except OSError:
        return item.stat(follow_symlinks=False)


def move_into_place(move: MoveFile, source: Path, target: Path) -> bool:
    """Move a file to its path and create the folder, which another process may remove meanwhile.

    Returns what `move` returns. Raises OSError.
    """
    for _ in range(_ATTEMPTS):
        with suppress(FileNotFoundError):
            return move(source, target)
        # A folder that disappears during mkdir looks like an existing file. If it really is a
        # file, the next attempt fails.
        with suppress(FileNotFoundError, FileExistsError):
            target.parent.mkdir(parents=True, exist_ok=True)
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(source))


def replace_file(source: Path, target: Path) -> bool:
    """Replace the target by the source."""
    source.replace(target)
    return True


def link_if_absent(source: Path, target: Path) -> bool:
    """Create the target if it does not exist; one of several simultaneous calls succeeds.

    Returns False if the target exists. Raises IsADirectoryError if the target is a folder.
    """
    try:
        target.hardlink_to(source)
    except FileExistsError:
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target)) from None
        return False
    return True


NO_HARD_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}
"""Errors of a hard link on a file system, or between two places, that has none."""


def copy_if_absent(source: Path, target: Path) -> bool:
    """Do what link_if_absent does, also on a file system without hard links.

    There, a reader may see the target for a moment before its content, so it is for a folder that
    one machine uses.
    """
    try:
        return link_if_absent(source, target)
    except OSError as error:
        if error.errno not in NO_HARD_LINKS:
            raise
    content = source.read_bytes()
    try:
        file = target.open("xb")
    except FileExistsError:
        return False
    try:
        with file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        target.unlink()
        raise
    return True


def remove_empty_folders(root: Path, folder: Path) -> None:
    """Remove a folder and its parents below the root, as long as they are empty."""
    while folder != root:
        try:
            folder.rmdir()
        except OSError:  # not empty, or not permitted: an empty folder does no harm
            return
        folder = folder.parent


class PartialFiles:
    """Incomplete files, in one flat folder.

    A file's name consists of its key and a random upload id: `a,b~1f…` for `a/b`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def create(self, key: str) -> Iterator[BinaryIO]:
        """Create an empty file; it is deleted at the end unless it has been moved."""
        path = self._path(key, uuid.uuid4().hex)
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("xb") as file:
                yield file
        finally:
            path.unlink(missing_ok=True)

    def unfinished_uploads(self, prefix: str) -> Iterator[UnfinishedUpload]:
        """List the files in the order of their keys; `started` is the time of the last write."""
        if not self._folder.is_dir():
            return
        uploads = []
        for path in self._folder.iterdir():
            name, _, upload_id = path.name.rpartition("~")
            key = name.replace(_SLASH, "/")
            if is_key(key) and key.startswith(prefix):
                uploads.append((key, upload_id, path))
        for key, upload_id, path in sorted(uploads):
            try:
                yield UnfinishedUpload(key, upload_id, path.lstat().st_mtime)
            except FileNotFoundError:
                continue

    def remove(self, upload: UnfinishedUpload) -> None:
        """Delete a partial file, if it still exists."""
        self._path(upload.key, upload.id).unlink(missing_ok=True)

    def _path(self, key: str, upload_id: str) -> Path:
        return self._folder / f"{key.replace('/', _SLASH)}~{upload_id}"


_TRANSIENT = {
    errno.EAGAIN,
    errno.EBUSY,
    errno.EHOSTDOWN,
    errno.EHOSTUNREACH,
    errno.EINTR,
    errno.EIO,
    errno.ENETDOWN,
    errno.ENETUNREACH,
    errno.ENOENT,
    errno.ENOTCONN,
    errno.ESTALE,
    errno.ETIMEDOUT,
}
"""Errors of network file systems while their server is away, or another client is active."""


_MISPLACED = {errno.EEXIST, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOTDIR}
"""Errors of one path: something else lies at the key of an object, or on the way to it."""


_REMEDIES = {
    errno.EACCES: "let this user read and write there, or use another store",
    errno.EDQUOT: "free some space, or use another store",
    errno.EISDIR: "there is a folder in place of a file; move it away",
    errno.EEXIST: "there is a file in place of a folder; move it away",
    errno.ENOSPC: "free some space, or use another store",
    errno.ENOTDIR: "there is a file in place of a folder; move it away",
    errno.EPERM: "let this user read and write there, on a file system with hard links",
    errno.EOPNOTSUPP: "use a file system with hard links",
    errno.ELOOP: "the link leads nowhere; put the file itself there",
    errno.EROFS: "mount it for writing, or use another store",
}


def store_error(error: OSError, store: str) -> StoreError | NotAnObject:
    """Translate an OSError into an error of the store or of an object, with a remedy.

    store: the address of the store.
    """
    path = error.filename2 or error.filename
    where = f"{store}: {path}" if path and str(path) != store else store
    problem = error.strerror or type(error).__name__
    if error.errno in _TRANSIENT:
        return StoreUnreachable(f"{where}: {problem}; check the disk or its server")
    remedy = _REMEDIES.get(error.errno or 0, "correct that, or use another store")
    kind = NotAnObject if error.errno in _MISPLACED and _is_object(path, store) else StoreRefused
    return kind(f"{where}: {problem}; {remedy}")


def _is_object(path: object, store: str) -> bool:
    """Whether a path is that of an object, or of a folder of objects, and not the store's own."""
    try:
        parts = Path(str(path)).relative_to(store).parts
    except ValueError:
        return False
    return bool(parts) and parts[0] != PARTIAL
