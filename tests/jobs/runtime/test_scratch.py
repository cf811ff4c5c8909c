"""Scratch folders: the last to leave removes them, and what the dead left goes too."""

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

_STAYS = """
import sys
from pathlib import Path
from jobs.runtime.scratch import ScratchLock
lock = ScratchLock(Path(sys.argv[1]))
print("here", flush=True)
sys.stdin.readline()
lock.release()
"""


class Guest:
    """A process that stays in a folder until it is told to leave, or killed."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _STAYS, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "here\n"

    def leave(self) -> None:
        self._process.communicate("\n", timeout=30)
        assert self._process.returncode == 0

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate(timeout=30)


def test_the_last_to_leave_removes_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "farm-1"
    first, second = Guest(folder), Guest(folder)
    (folder / "kept").mkdir()
    (folder / "kept" / "shard").write_bytes(b"x")
    first.leave()
    assert (folder / "kept" / "shard").exists()
    second.leave()
    assert list(tmp_path.iterdir()) == []


def test_who_comes_next_removes_what_the_dead_left_and_nothing_else(tmp_path: Path) -> None:
    dead, alive = Guest(tmp_path / "farm-dead"), Guest(tmp_path / "farm-alive")
    other = Guest(tmp_path / "another program's")
    (tmp_path / "farm-dead" / "worker-0").mkdir()
    (tmp_path / "farm-dead" / "worker-0" / "canvas.npy").write_bytes(b"x" * 1000)
    (tmp_path / "farm-new").mkdir()  # made for a process that has only been started
    (tmp_path / "farm-link").symlink_to(tmp_path / "another program's")
    dead.kill()
    other.kill()
    stay = ScratchLock(tmp_path / "farm-mine")
    there = {"farm-alive", "another program's", "farm-new", "farm-link"}
    assert {one.name for one in tmp_path.iterdir()} == there | {"farm-mine"}
    assert (tmp_path / "another program's" / ".in-use").exists()
    alive.leave()
    stay.release()
    stay.release()
    assert {one.name for one in tmp_path.iterdir()} == there - {"farm-alive"}


def test_nobody_loses_the_folder_in_which_he_stays(tmp_path: Path) -> None:
    """Comings and goings, of many at once."""
    folder, lost = tmp_path / "farm-1", list[str]()

    def come_and_go(name: str) -> None:
        for _ in range(200):
            stay = ScratchLock(folder)
            try:
                (folder / name).touch()
                (folder / name).unlink()
            except FileNotFoundError:
                lost.append(name)
            stay.release()

    guests = [threading.Thread(target=come_and_go, args=(name,)) for name in "abcd"]
    for guest in guests:
        guest.start()
    for guest in guests:
        guest.join()
    assert lost == []
    assert list(tmp_path.iterdir()) == []


def test_workers_on_disk_leave_nothing_when_their_crew_is_closed(
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
