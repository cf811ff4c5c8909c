"""Processes in the scratch folder that a machine has for one holder: the last to leave removes it.

Each holds a shared lock as long as it stays. The kernel lets go of the locks of the dead, so
whoever comes next to the machine finds the folders in which nobody is left, and removes them.
"""

import fcntl
import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

PREFIX = "farm-"
"""Of the names of such folders where they lie beside others' files."""


_LOCK = ".in-use"


class Stay:
    """One process's, from its making to its `end`, or its death."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock: int | None = _entered(folder)
        if folder.name.startswith(PREFIX):
            for other in folder.parent.glob(f"{PREFIX}*"):
                if other != folder:
                    _sweep(other)

    def end(self) -> None:
        """Leave, and remove the folder where nobody else stays. Nothing happens the second time."""
        if self._lock is not None:
            _remove_if_empty(self._folder, self._lock)
            os.close(self._lock)
            self._lock = None


def _entered(folder: Path) -> int:
    """A shared lock on a folder that is there, made if need be."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with suppress(FileExistsError):
            folder.mkdir()
        with suppress(FileNotFoundError):
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            fcntl.flock(lock, fcntl.LOCK_SH)
            if _is_there(folder, lock):
                return lock
            # Who was the last to leave has taken it away meanwhile.
            os.close(lock)


def _sweep(folder: Path) -> None:
    """Remove a folder of ours in which nobody stays."""
    # Others may have folders of such names; what is not ours, or no longer there, is no matter.
    with suppress(OSError):
        if folder.is_symlink() or folder.stat().st_uid != os.getuid():
            return
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            _remove_if_empty(folder, lock)
        finally:
            os.close(lock)


def _remove_if_empty(folder: Path, lock: int) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    if not _is_there(folder, lock):
        return
    # Out of the way first: who comes now makes another. The lock goes last, so that a folder that
    # is removed by halves can still be told.
    gone = folder.with_name(f"{PREFIX}{secrets.token_hex(8)}")
    with suppress(OSError):
        folder.rename(gone)
        for one in gone.iterdir():
            if one.is_dir() and not one.is_symlink():
                shutil.rmtree(one, ignore_errors=True)
            elif one.name != _LOCK:
                one.unlink()
        (gone / _LOCK).unlink()
        gone.rmdir()


def _is_there(folder: Path, lock: int) -> bool:
    """Whether a lock is the folder's own still."""
    try:
        return (folder / _LOCK).stat(follow_symlinks=False).st_ino == os.fstat(lock).st_ino
    except FileNotFoundError:
        return False
