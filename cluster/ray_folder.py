"""The temporary folder of a private Ray: created, locked, and swept once its program is dead.

The lock is the kernel's, so it ends with the program, however that ends.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cluster.errors import ClusterError, InsufficientCapacity

_PREFIX = "dream-ray-"

_MAX_FOLDER_LENGTH = 40
"""Characters. Ray creates sockets below its folder, and a socket's path ends at 107."""

_MIN_FREE_BYTES = 32 << 20
"""For Ray's logs and sockets. With less, Ray waits for itself for minutes."""

_SHARED_MEMORY = Path("/dev/shm")


@contextmanager
def ray_folder(object_store_bytes: int) -> Iterator[Path]:
    """Create a folder for a private Ray, and remove it at the end.

    Folders that killed programs of this user have left are removed first.

    object_store_bytes: of Ray's object store, which lies in the folder if memory cannot hold it.

    Raises:
        InsufficientCapacity: the disk is full.
        ClusterError: the folder cannot be created.
    """
    parent = _temporary_folder()
    for other in parent.glob(f"{_PREFIX}*"):
        _remove_if_abandoned(other)
    try:
        _check_space(parent, object_store_bytes)
        folder, lock = _create_locked(parent)
    except OSError as why:
        raise ClusterError(
            f"{parent}: Ray's temporary folder cannot be created ({why.strerror}); "
            "set TMPDIR to another folder"
        ) from why
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _temporary_folder() -> Path:
    """The folder for temporary files, or `/tmp` if its name is too long for Ray's sockets."""
    try:
        default = tempfile.gettempdir()
    except FileNotFoundError as why:
        raise InsufficientCapacity(
            f"{why.strerror}: they are full or cannot be written; free some space, or set TMPDIR "
            "to another folder"
        ) from why
    is_short = len(default) < _MAX_FOLDER_LENGTH - len(f"/{_PREFIX}12345678")
    return Path(default if is_short else "/tmp")


def _check_space(parent: Path, object_store_bytes: int) -> None:
    needed = _MIN_FREE_BYTES
    if not _SHARED_MEMORY.is_dir() or shutil.disk_usage(_SHARED_MEMORY).free < object_store_bytes:
        needed += object_store_bytes
    free = shutil.disk_usage(parent).free
    if free < needed:
        raise InsufficientCapacity(
            f"{parent}: the temporary folder is full: Ray needs {needed / 1e6:.0f} MB there and "
            f"{free / 1e6:.0f} MB are free; free some, or set TMPDIR to another folder"
        )


def _create_locked(parent: Path) -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        # Some network file systems lock no folders. There, no program sweeps a folder either.
        with suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            return folder, lock
        # Another program has swept the folder before it was locked.
        os.close(lock)


def _remove_if_abandoned(folder: Path) -> None:
    """Remove a folder that no program has locked, if it belongs to this user."""
    # Folders may vanish, and those of other users may not be opened.
    with suppress(OSError):
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            if os.fstat(lock).st_uid == os.getuid():
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)
