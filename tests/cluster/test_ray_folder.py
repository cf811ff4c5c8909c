"""The folder of a private Ray: removed at the end, swept after a kill, refused on a full disk."""

import errno
import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from cluster.errors import ClusterError, InsufficientCapacity
from cluster.ray_folder import ray_folder

MEGABYTE = 10**6
Usage = namedtuple("Usage", ["total", "used", "free"])

_HOLD_FOLDER = """
import sys
from cluster.ray_folder import ray_folder
with ray_folder(1) as folder:
    (folder / "session_1").mkdir()
    print(folder, flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files; its name may be longer than Ray's sockets allow."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr("cluster.ray_folder._MAX_FOLDER_LENGTH", 1000)
    return tmp_path


def hold_folder(temporary: Path) -> tuple[subprocess.Popen[str], Path]:
    """Start a program that holds a folder."""
    program = _HOLD_FOLDER.replace(
        "import sys\n",
        "import sys\nimport cluster.ray_folder as r\nr._MAX_FOLDER_LENGTH = 1000\n",
        1,
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_the_folder_of_a_killed_program_is_swept_and_no_other(temporary: Path) -> None:
    killed, dead = hold_folder(temporary)
    running, alive = hold_folder(temporary)
    others = [temporary / "dream-ray", temporary / "dream-12345678", temporary / "ray"]
    for other in others:
        other.mkdir()
    (temporary / "dream-ray-link").symlink_to(temporary / "ray")
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert (dead / "session_1").is_dir()

    with ray_folder(1) as folder:
        assert not dead.exists()
        assert (alive / "session_1").is_dir()
        assert folder.parent == temporary
    running.communicate("\n", timeout=30)
    left = {one.name for one in temporary.iterdir()}
    assert left == {*(other.name for other in others), "dream-ray-link"}


def test_a_full_disk_is_refused_before_ray_starts(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100, 95, 5 * MEGABYTE))
    with (
        pytest.raises(InsufficientCapacity, match=r"Ray needs 134 MB .* 5 MB are free; free some"),
        ray_folder(100 * MEGABYTE),
    ):
        pass
    assert list(temporary.iterdir()) == []


def test_an_object_store_that_memory_holds_needs_no_disk(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1000, 0, 300 * MEGABYTE))
    with ray_folder(200 * MEGABYTE) as folder:
        assert folder.is_dir()


def test_a_folder_that_cannot_be_created_is_named(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkdtemp", refuse)
    with pytest.raises(ClusterError, match="set TMPDIR to another folder"), ray_folder(1):
        pass


@pytest.mark.parametrize("number", [errno.EBADF, errno.ENOLCK, errno.ENOTSUP])
def test_a_file_system_without_locks_for_folders_serves_and_nothing_is_swept(
    temporary: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(_descriptor: int, _operation: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    other = temporary / "dream-ray-12345678"
    other.mkdir()
    with ray_folder(1) as folder:
        assert folder.is_dir()
    assert list(temporary.iterdir()) == [other]
