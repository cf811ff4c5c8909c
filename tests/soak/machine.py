"""The disk that can be full and the clock that can be wrong, of the processes under test."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DISK_BYTES = 700 << 20
"""Of the small disk: the scratch folders of four private Rays, and the results of renders."""

CLOCK_STEP = 300
"""Seconds of a clock step."""

_SITE = Path(__file__).with_name("site")


class SmallDisk:
    """A disk that `fill` fills to the last byte.

    is_real: whether it is a disk of its own. Without root it is a folder, and cannot be filled.
    """

    def __init__(self, path: Path, *, is_real: bool) -> None:
        self.path, self.is_real = path, is_real

    def fill(self) -> int:
        """Write a file until the disk is full. Returns its size in bytes."""
        assert self.is_real
        block, written = bytes(1 << 20), 0
        with (self.path / "filler").open("ab", buffering=0) as file:
            while block:
                try:
                    written += file.write(block)
                except OSError:
                    # Half of it may still fit.
                    block = block[: len(block) // 2]
        return written

    def free(self) -> None:
        """Remove the file again."""
        (self.path / "filler").unlink(missing_ok=True)


@contextmanager
def small_disk() -> Iterator[SmallDisk]:
    """A tmpfs, or a folder if this user may not mount one."""
    # Ray's sockets need a short path.
    path = Path(tempfile.mkdtemp(prefix="sk-", dir="/tmp"))
    options = f"size={DISK_BYTES},mode=0700"
    mount = ["mount", "-t", "tmpfs", "-o", options, "none", str(path)]
    is_real = shutil.which("mount") is not None and (
        subprocess.run(mount, capture_output=True, check=False).returncode == 0
    )
    try:
        yield SmallDisk(path, is_real=is_real)
    finally:
        if is_real:
            subprocess.run(["umount", "--lazy", str(path)], check=True)
        shutil.rmtree(path, ignore_errors=True)


def faketime_library() -> Path | None:
    """The library of Debian's package libfaketime; None if it is not installed."""
    return next(iter(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")), None)


class FalseClock:
    """A wall clock that is some seconds wrong in the processes with its `environment`.

    file: says by how much. Running processes read it once a second.
    """

    def __init__(self, file: Path) -> None:
        self._file, self._library = file, faketime_library()
        self.offset = 0
        self.set(0)

    @property
    def is_real(self) -> bool:
        """Whether the library is installed."""
        return self._library is not None

    def set(self, offset: int) -> None:
        """Set the clock to `offset` seconds after the true time."""
        # Rename: a process that reads a half-written file would end.
        written = self._file.with_suffix(".new")
        written.write_text(f"{offset:+d}\n")
        written.rename(self._file)
        self.offset = offset

    def environment(self) -> dict[str, str]:
        """The variables for the processes with this clock."""
        if self._library is None:
            return {}
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            # A step of the wall clock moves no monotonic clock, and no times of files.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
            "PYTHONPATH": os.pathsep.join(filter(None, [str(_SITE), os.environ.get("PYTHONPATH")])),
        }

    def shown(self) -> int:
        """The seconds since 1970 that a process with this clock reads."""
        found = subprocess.run(
            ["date", "+%s"],
            env={**os.environ, **self.environment()},
            capture_output=True,
            check=True,
            text=True,
        )
        return int(found.stdout)
