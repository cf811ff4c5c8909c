"""The files below a folder of this machine, as a stream."""

import os
from collections.abc import Iterator

from jobs.dataset.inputs.item import ListedFile
from jobs.dataset.inputs.patterns import Pattern, is_glob
from jobs.runtime.access import is_folder, path_exists
from jobs.spec.inputs import is_in_bucket
from jobs.text.errors import RequestError


def escape_non_utf8(name: str) -> str:
    r"""The name, with `\udcff` for a byte 255 in it that is no UTF-8; else the name itself."""
    return name.encode("utf-8", "backslashreplace").decode()


_DEEPEST = 250
"""Folders in folders; each is an open file, and a call."""


def list_folder(pattern: Pattern) -> Iterator[ListedFile]:
    """The files that a pattern means, in the order in which the file system has them.

    Links to files count as files, links to folders do not count. A folder below that cannot be
    listed, and a name that is not UTF-8, are files with a complaint. No folder is held in memory.
    Raises RequestError where the pattern's base is no folder that can be listed.
    """
    root = pattern.base or "/"
    try:
        os.scandir(root).close()
    except OSError as error:
        raise RequestError(
            f"{root}: cannot be listed ({error.strerror}); check the path and its permissions"
        ) from error
    yield from _below(root, "", pattern)


def _below(folder: str, key: str, pattern: Pattern) -> Iterator[ListedFile]:
    if key.count("/") > _DEEPEST:
        yield _file(key, folder, "the folder is nested too deeply; move it up")
        return
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                yield from _meant(entry, f"{key}/{entry.name}" if key else entry.name, pattern)
    except OSError as error:
        reason = f"the folder cannot be listed ({error.strerror}); check its permissions"
        yield _file(key, folder, reason)


def _meant(entry: "os.DirEntry[str]", key: str, pattern: Pattern) -> Iterator[ListedFile]:
    if entry.is_dir(follow_symlinks=False):
        if pattern.may_contain(key):
            yield from _below(entry.path, key, pattern)
    # A link to a folder is left out; one that leads nowhere is not, and reading it says so.
    elif pattern.matches(key) and not (entry.is_symlink() and is_folder(entry.path)):
        yield _file(key, entry.path)


def _file(key: str, path: str, complaint: str | None = None) -> ListedFile:
    if escape_non_utf8(path) != path:
        complaint = complaint or "its name is not UTF-8; rename it"
    return ListedFile(escape_non_utf8(key), escape_non_utf8(path), complaint)


def has_wildcards(path: str) -> bool:
    """Whether a path means what fits it, and not what bears that very name."""
    return is_glob(path) and (is_in_bucket(path) or not path_exists(path))


def list_files(pattern: Pattern) -> Iterator[ListedFile]:
    """The files that a pattern means, as a stream. Raises RequestError and StoreError."""
    if not is_in_bucket(pattern.base):
        return list_folder(pattern)
    # boto3 takes a third of a second, which who has a folder need not wait for.
    from jobs.dataset.inputs.s3 import list_objects

    return list_objects(pattern)
