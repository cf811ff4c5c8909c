"""Locks on the scratch folders of a machine. The last process that releases one removes the folder.

Each process holds a shared lock while it uses the folder. The kernel releases the locks of dead
processes, so the next process on the machine finds abandoned folders and removes them.
"""

import fcntl
import os
import secrets
import shutil
import time
from contextlib import suppress
from pathlib import Path

SCRATCH_PREFIX = "farm-"
"""Starts the names of scratch folders."""


_LOCK = ".in-use"

_UNLOCKED_SECONDS = 600.0
"""Age at which an empty folder without a lock is abandoned: its process was killed before."""


class ScratchLock:
    """One process's lock on a scratch folder, until `release` or the end of the process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock: int | None = _lock_folder(folder)
        if folder.name.startswith(SCRATCH_PREFIX):
            for other in folder.parent.glob(f"{SCRATCH_PREFIX}*"):
                if other != folder:
                    _remove_if_abandoned(other)

    def release(self) -> None:
        """Release the lock, and remove the folder if no other process holds one. Idempotent."""
        if self._lock is not None:
            _remove_if_unused(self._folder, self._lock)
            os.close(self._lock)
            self._lock = None


def _lock_folder(folder: Path) -> int:
    """Create a folder, if it does not exist, and lock it. Returns the lock's descriptor."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with suppress(FileExistsError):
            folder.mkdir()
        with suppress(FileNotFoundError):
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            fcntl.flock(lock, fcntl.LOCK_SH)
            if _is_current(folder, lock):
                return lock
            # Another process has removed the folder meanwhile.
            os.close(lock)


def _remove_if_abandoned(folder: Path) -> None:
    """Remove a folder that no process has locked, if it belongs to this user."""
    # Other users may have folders of such names, and folders may vanish.
    with suppress(OSError):
        if folder.is_symlink() or folder.stat().st_uid != os.getuid():
            return
        if not (folder / _LOCK).exists():
            if time.time() - folder.stat().st_mtime > _UNLOCKED_SECONDS:
                folder.rmdir()  # fails unless it is empty
            return
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            _remove_if_unused(folder, lock)
        finally:
            os.close(lock)


def _remove_if_unused(folder: Path, lock: int) -> None:
    """Remove a folder if no other process holds a lock on it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    if not _is_current(folder, lock):
        return
    # Rename first, so that a new process creates a new folder. Remove the lock last, so that other
    # processes find a partly removed folder.
    renamed = folder.with_name(f"{SCRATCH_PREFIX}{secrets.token_hex(8)}")
    with suppress(OSError):
        folder.rename(renamed)
        for path in renamed.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != _LOCK:
                path.unlink()
        (renamed / _LOCK).unlink()
        renamed.rmdir()


def _is_current(folder: Path, lock: int) -> bool:
    """Whether the folder still holds this lock's file."""
    try:
        return (folder / _LOCK).stat(follow_symlinks=False).st_ino == os.fstat(lock).st_ino
    except FileNotFoundError:
        return False
