"""Opens input files: regular files only, so that no input can make a process wait for ever."""

import errno
import io
import os
import stat
from pathlib import Path

_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}

_DESCRIPTORS = ("/dev/fd/", "/dev/stdin", "/proc/self/fd/")
"""Paths that mean another file in every process, so a worker would read something else."""


class NotRegularFileError(OSError):
    """The path leads to a pipe, a socket or a device. strerror: such as `is a pipe`."""

    def __init__(self, path: Path, kind: str) -> None:
        super().__init__(errno.EINVAL, f"is {kind}, not a file", str(path))


def check_regular_file(path: Path) -> None:
    """Check that a path leads to a regular file, and open nothing.

    Raises NotRegularFileError, IsADirectoryError for a folder, and OSError if the file is missing
    or may not be looked at.
    """
    _check_mode(path, path.stat().st_mode)
    if str(path.absolute()).startswith(_DESCRIPTORS):
        raise NotRegularFileError(path, "a descriptor of one process")


def open_input_file(path: Path) -> io.BufferedReader:
    """Open a regular file for reading. Raises what `check_regular_file` raises, at once."""
    check_regular_file(path)
    # Between the two calls, a pipe could take the place of the file. O_NONBLOCK opens it at once.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _check_mode(path, os.fstat(descriptor).st_mode)
    except OSError:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def read_problem(error: OSError) -> str:
    """Say why an input cannot be read, and what to do: a message without the file's name."""
    if isinstance(error, NotRegularFileError):
        return f"{error.strerror}; save it to a file first, and give the path of that file"
    reason = error.strerror or "the system gives no reason"
    return f"cannot be read ({reason}); check the path and its permissions"


def _check_mode(path: Path, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise NotRegularFileError(path, _KINDS.get(stat.S_IFMT(mode), "something else"))
