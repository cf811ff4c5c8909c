"""Files below a folder as keys: listing them in order, giving them places, removing them."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from jobs.store.key import is_key
from jobs.store.store import Entry

_TRIES = 100


Take = Callable[[Path, Path], bool]
"""Gives a file a place, if it can."""


def children(root: Path, folder: str) -> Iterator[tuple[str, "os.DirEntry[str]"]]:
    """What lies in a folder, with its key, in the order in which a bucket lists what is below.

    Links that lead out of the root are nothing.
    """
    try:
        with os.scandir(root / folder) as found:
            # Whole keys are compared, in which a folder's name goes on with a slash.
            items = sorted(
                (f"{item.name}/" if item.is_dir() else item.name, item) for item in found
            )
    except (FileNotFoundError, NotADirectoryError):
        return
    for _, item in items:
        key = f"{folder}/{item.name}" if folder else item.name
        if is_key(key) and not (item.is_symlink() and leads_out(root, Path(item.path))):
            yield key, item


def leads_out(root: Path, path: Path) -> bool:
    """Whether links lead a path out of the root, which may have been reached by links itself."""
    return not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))


def files(root: Path, folder: str, prefix: str) -> Iterator[Entry]:
    """The files below a folder whose keys begin with a prefix, in the order of their keys."""
    for key, item in children(root, folder):
        if item.is_dir():
            below = f"{key}/"
            if below.startswith(prefix) or prefix.startswith(below):
                yield from files(root, key, prefix)
        elif key.startswith(prefix):
            # It may have been deleted since.
            with suppress(FileNotFoundError):
                stat = item.stat()
                yield Entry(key, stat.st_size, stat.st_mtime)


def place(take: Take, source: Path, target: Path) -> bool:
    """Take a file to its place, whose folder is created, and may meanwhile be removed again."""
    for _ in range(_TRIES):
        with suppress(FileNotFoundError):
            return take(source, target)
        # What goes while we look looks like a file. If it is one, the next attempt says so.
        with suppress(FileNotFoundError, FileExistsError):
            target.parent.mkdir(parents=True, exist_ok=True)
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(source))


def replace(source: Path, target: Path) -> bool:
    """Take the place, from whatever is there."""
    source.replace(target)
    return True


def link(source: Path, target: Path) -> bool:
    """Take the place if it is free: of many at once one succeeds."""
    try:
        target.hardlink_to(source)
    except FileExistsError:
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target)) from None
        return False
    return True


def prune(root: Path, folder: Path) -> None:
    """Remove a folder, and those above it up to the root, as far as they are empty."""
    while folder != root:
        try:
            folder.rmdir()
        except OSError:  # not empty, or somebody else's business: nothing depends on it
            return
        folder = folder.parent
