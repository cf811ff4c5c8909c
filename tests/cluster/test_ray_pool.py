"""Behaviour and failures that only a pool of processes has."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cluster.errors import InsufficientCapacity
from cluster.pool import Pool
from cluster.resources import Resources
from cluster.task import Failed, Finished, Task
from tests.support.pool_members import ToyWorker
from tests.support.processes import still_running

if TYPE_CHECKING:
    from cluster.ray_crew import RayCrew

pytestmark = pytest.mark.usefixtures("ray_crew")


@pytest.fixture(scope="module")
def pair(ray_crew: "type[RayCrew]") -> Iterator[Pool]:
    """Two members that run three tasks at once, and outlive the test."""
    from cluster.ray_pool import RayPool

    with RayPool(ToyWorker, [(), ()], Resources(), 3) as pool:
        yield pool


def finished(pool: Pool, tasks: list[Task]) -> list[Finished]:
    return [outcome for outcome in pool.run(tasks, 60) if isinstance(outcome, Finished)]


def test_a_pool_works_with_the_members_that_are_placed() -> None:
    from cluster.ray_pool import RayPool

    most = _free_cpus() // 2 + 1
    with RayPool(ToyWorker, [(), ()], Resources(cpus=most), 1) as pool:
        found = finished(pool, [Task(number, "double", (number,)) for number in range(10)])
        assert len({one.member for one in found}) == 1
        assert len(found) == 10
        with pytest.raises(
            InsufficientCapacity, match=r"with \d CPU each could be placed within 1 s"
        ):
            RayPool(ToyWorker, [()], Resources(cpus=most, start_timeout=1), 1)


def test_a_member_runs_its_tasks_at_the_same_time(pair: Pool, tmp_path: Path) -> None:
    found = finished(pair, [Task(number, "gather", (tmp_path, 6)) for number in range(6)])
    assert sorted(one.member for one in found) == [0, 0, 0, 1, 1, 1]
    assert len({one.value for one in found}) == 2


def test_tasks_survive_kills_from_outside(pair: Pool, tmp_path: Path) -> None:
    """Both members are killed with three tasks each, then one that runs a task in isolation."""
    tasks = [Task(number, "linger", (tmp_path, "gate")) for number in range(12)]
    killed: set[int] = set()
    found = []
    for outcome in pair.run(tasks, tick=0.05):
        if outcome is not None:
            assert isinstance(outcome, Finished)
            found.append(outcome)
            continue
        begun = [int(mark.name.partition("-")[0]) for mark in tmp_path.glob("*-*")]
        living = set(begun) - killed
        if not killed and len(begun) == 6:
            killed = {_kill(process) for process in living}
        elif len(killed) == 2 and living:
            killed.add(_kill(living.pop()))
        elif len(killed) == 3 and living:
            (tmp_path / "gate").touch()
    assert len(killed) == 3
    assert sorted(one.task_id for one in found) == list(range(12))
    assert not killed & {one.value for one in found}
    assert sorted(one.attempts for one in found) == [1] * 6 + [2] * 5 + [3]


def test_neighbours_go_on_beside_a_slow_task(pair: Pool, tmp_path: Path) -> None:
    tasks = [Task(number, "process") for number in range(40)]
    tasks[0] = Task(0, "linger", (tmp_path, "gate"))
    order = []
    for outcome in pair.run(tasks, 60):
        assert isinstance(outcome, Finished)
        order.append(outcome.task_id)
        if len(order) == 39:
            (tmp_path / "gate").touch()
    assert order[-1] == 0


def test_members_end_with_their_pool_in_the_middle_of_a_run(tmp_path: Path) -> None:
    from cluster.ray_pool import RayPool

    with RayPool(ToyWorker, [()], Resources(), 2) as pool:
        run = pool.run(
            [Task(0, "process"), Task(1, "linger", (tmp_path, "gate")), Task(2, "process")], 60
        )
        outcome = next(run)
        assert isinstance(outcome, Finished)
        began = time.monotonic()
    assert time.monotonic() - began < 10
    assert still_running([outcome.value]) == set()


def test_a_failed_task_keeps_the_traceback_of_its_member(pair: Pool, tmp_path: Path) -> None:
    (failed,) = pair.run([Task(0, "fail_here", (tmp_path,))], 60)
    assert isinstance(failed, Failed)
    assert "raise KeyError(self.name)" in str(failed.error.__cause__)


def _kill(process: int) -> int:
    os.kill(process, signal.SIGKILL)
    return process


def _free_cpus() -> int:
    """The free CPUs of Ray, once processes that have ended have returned theirs."""
    import ray

    before, now = -1, 0
    while now != before:
        time.sleep(1)
        before, now = now, int(ray.available_resources().get("CPU", 0))
    return now
