"""Makes the file system refuse one operation: the disk is full, or it is read-only, or the like.

Python reports every file that is opened, created, moved or removed to its audit hooks, also those
that libraries open. An error that a hook raises is the error of the operation. Bytes that are
written do not pass here, but `fsync` does: many file systems say only there that a disk is full.
"""

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC

_CHANGES = ("os.rename", "os.link", "os.mkdir", "os.remove", "os.rmdir", "os.truncate")


@dataclass
class FailingFiles:
    """Counts the operations that write below a folder, and fails one of them.

    at: the number of the operation that fails, from 1; None fails none. lasts: whether all later
    ones fail too. removes: whether removals fail, as they do on a read-only file system.
    """

    folder: Path
    number: int = errno.ENOSPC
    at: int | None = None
    lasts: bool = False
    removes: bool = False
    count: int = 0
    failed: list[str] = field(default_factory=list)

    def meet(self, event: str, path: object) -> None:
        """Count an operation. Raises OSError if it is to fail."""
        if not str(path).startswith(f"{self.folder}{os.sep}"):
            return
        if event in {"os.remove", "os.rmdir"} and not self.removes:
            return
        self.count += 1
        if self.at is None or self.count < self.at:
            return
        if self.count == self.at or self.lasts:
            self.failed.append(f"{event} {path}")
            raise OSError(self.number, os.strerror(self.number), str(path))


_ACTIVE: list[FailingFiles] = []


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    if not _ACTIVE:
        return
    if event == "open":
        path, _, flags = arguments
        if isinstance(flags, int) and flags & _WRITES and not isinstance(path, int):
            _ACTIVE[-1].meet(event, path)
    elif event in _CHANGES:
        _ACTIVE[-1].meet(event, arguments[0])


sys.addaudithook(_audit)


@contextmanager
def failing(files: FailingFiles, monkeypatch: pytest.MonkeyPatch) -> Iterator[FailingFiles]:
    """Let operations fail until the block ends."""
    synchronise = os.fsync

    def fsync(descriptor: int) -> None:
        with suppress(FileNotFoundError):
            files.meet("fsync", Path(f"/proc/self/fd/{descriptor}").readlink())
        synchronise(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        _ACTIVE.append(files)
        try:
            yield files
        finally:
            _ACTIVE.remove(files)


def count_operations(
    folder: Path, act: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> int:
    """The number of operations of an undisturbed act."""
    with failing(FailingFiles(folder), monkeypatch) as files:
        act()
    return files.count
