"""Scratch folders: the last process removes its own, and those of dead processes."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cluster.crew import Crew
from cluster.resources import Resources
from jobs.planning.poster import PosterPlan
from jobs.runtime.backend import MemberFactory
from jobs.runtime.scratch import SCRATCH_PREFIX, ScratchLock
from tests.support.small_poster import claim_poster, plan_poster

if TYPE_CHECKING:
    from cluster.ray_crew import RayCrew

_HOLD_LOCK = """
import sys
from pathlib import Path
from jobs.runtime.scratch import ScratchLock
lock = ScratchLock(Path(sys.argv[1]))
print("locked", flush=True)
sys.stdin.readline()
lock.release()
"""


class LockHolder:
    """A process that holds a lock on a folder until it is released or killed."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _HOLD_LOCK, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "locked\n"

    def release(self) -> None:
        """Release the lock, and wait for the end of the process."""
        self._process.communicate("\n", timeout=30)
        assert self._process.returncode == 0

    def kill(self) -> None:
        """Kill the process, which then has no time to release the lock."""
        self._process.kill()
        self._process.communicate(timeout=30)


def test_the_last_lock_removes_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "farm-1"
    first, second = LockHolder(folder), LockHolder(folder)
    (folder / "kept").mkdir()
    (folder / "kept" / "shard").write_bytes(b"x")
    first.release()
    assert (folder / "kept" / "shard").exists()
    second.release()
    assert list(tmp_path.iterdir()) == []


def test_a_new_lock_removes_only_the_folders_of_dead_processes(tmp_path: Path) -> None:
    dead, alive = LockHolder(tmp_path / "farm-dead"), LockHolder(tmp_path / "farm-alive")
    other = LockHolder(tmp_path / "another program's")
    (tmp_path / "farm-dead" / "worker-0").mkdir()
    (tmp_path / "farm-dead" / "worker-0" / "canvas.npy").write_bytes(b"x" * 1000)
    (tmp_path / "farm-new").mkdir()  # for a process that has not locked it yet
    (tmp_path / "farm-link").symlink_to(tmp_path / "another program's")
    dead.kill()
    other.kill()
    lock = ScratchLock(tmp_path / "farm-mine")
    expected = {"farm-alive", "another program's", "farm-new", "farm-link"}
    assert {one.name for one in tmp_path.iterdir()} == expected | {"farm-mine"}
    assert (tmp_path / "another program's" / ".in-use").exists()
    alive.release()
    lock.release()
    lock.release()
    assert {one.name for one in tmp_path.iterdir()} == expected - {"farm-alive"}


def test_a_locked_folder_is_never_removed(tmp_path: Path) -> None:
    folder, lost = tmp_path / "farm-1", list[str]()

    def lock_and_release(name: str) -> None:
        for _ in range(200):
            lock = ScratchLock(folder)
            try:
                (folder / name).touch()
                (folder / name).unlink()
            except FileNotFoundError:
                lost.append(name)
            lock.release()

    threads = [threading.Thread(target=lock_and_release, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lost == []
    assert list(tmp_path.iterdir()) == []


def test_workers_with_tiles_on_disk_remove_them_at_the_end(
    picture: Path, weights: Path, tmp_path: Path, ray_crew: "type[RayCrew]"
) -> None:
    settings = ("size=150x102", "tiles=40", "crew.workers=2")
    limited = plan_poster(picture, weights, *settings, "crew.memory_per_worker=4GiB").memory
    memory_limit = (limited.in_memory + limited.on_disk) // 2
    plan = plan_poster(picture, weights, *settings, f"crew.memory_per_worker={memory_limit}")
    assert plan.memory.spills
    during, after = set[str](), list[Path]()

    @contextmanager
    def start(
        _: PosterPlan, kind: MemberFactory, arguments: Sequence[tuple[object, ...]]
    ) -> Iterator[Crew]:
        with ray_crew(kind, arguments, Resources()) as crew:
            yield crew
            during.update(one.name for one in job.context.scratch.iterdir())
        after.extend(tmp_path.glob("scratch-*"))
        after.extend(tmp_path.glob(f"{SCRATCH_PREFIX}*"))

    job = claim_poster(plan, tmp_path, start)
    job.run()
    assert {"worker-0", "worker-1"} <= during
    assert after == []


def test_an_old_empty_folder_without_a_lock_is_removed(tmp_path: Path) -> None:
    for name in ("farm-old", "farm-full", "farm-new"):
        (tmp_path / name).mkdir()
    (tmp_path / "farm-full" / "somebody's").touch()
    for name in ("farm-old", "farm-full"):
        os.utime(tmp_path / name, (0, 0))
    lock = ScratchLock(tmp_path / "farm-mine")
    assert {one.name for one in tmp_path.iterdir()} == {"farm-mine", "farm-full", "farm-new"}
    lock.release()
