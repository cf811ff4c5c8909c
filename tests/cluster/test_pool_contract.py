"""The contract of a pool. Most tests run on each backend."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from cluster.errors import ClusterError, MemberFailed, MemberLost, Quarantined
from cluster.local import LocalPool
from cluster.pool import Pool
from cluster.resources import Resources
from cluster.task import Failed, Finished, Task
from tests.support.crew_members import ClosingMember, FailingMember
from tests.support.pool_members import MortalWorker, RecoveringWorker, ToyWorker

Start = Callable[[Callable[..., object], list[tuple[object, ...]], int], Pool]

TICK = 60.0
"""Seconds; more than any test takes."""


@pytest.fixture(scope="module", params=["local", "ray"])
def start(request: pytest.FixtureRequest) -> Start:
    """Starts a pool on either backend."""
    if request.param == "local":
        return LocalPool
    request.getfixturevalue("ray_crew")
    from cluster.ray_pool import RayPool

    return lambda factory, arguments, depth: RayPool(factory, arguments, Resources(), depth)


@pytest.fixture(scope="module")
def pair(start: Start) -> Iterator[Pool]:
    """Two members that run two tasks at once, and outlive the test.

    Tests that start their own pool come first in this file, because Ray has few CPUs here.
    """
    with start(ToyWorker, [("Ann",), ("Bea",)], 2) as pool:
        await_all(pool)
        yield pool


def await_all(pool: Pool) -> None:
    """Return once all members are running."""
    deadline = time.monotonic() + 30
    seen: set[int] = set()
    while len(seen) < pool.size:
        assert time.monotonic() < deadline
        rests = [Task(number, "sleep", (0.01,)) for number in range(2 * pool.size)]
        seen = {one.member for one in outcomes(pool, rests).values()}


def outcomes(pool: Pool, tasks: list[Task]) -> dict[int, Finished | Failed]:
    """The outcomes, by task id."""
    found = [outcome for outcome in pool.run(tasks, TICK) if outcome is not None]
    assert sorted(outcome.task_id for outcome in found) == sorted(task.id for task in tasks)
    return {outcome.task_id: outcome for outcome in found}


def doubles(number: int) -> list[Task]:
    return [Task(task, "double", (task,)) for task in range(number)]


def values(found: dict[int, Finished | Failed]) -> dict[int, object]:
    """The values of the finished tasks, by task id."""
    return {task: one.value for task, one in found.items() if isinstance(one, Finished)}


def test_members_clean_up_when_the_pool_is_closed(start: Start, tmp_path: Path) -> None:
    with start(ClosingMember, [(tmp_path, "Kay"), (tmp_path, "Lou")], 1) as pool:
        await_all(pool)
        assert list(tmp_path.iterdir()) == []
    assert sorted(one.name for one in tmp_path.iterdir()) == ["Kay", "Lou"]


def test_a_member_on_which_everything_fails_is_replaced(start: Start, tmp_path: Path) -> None:
    with start(RecoveringWorker, [(tmp_path, "Eli", 1), (tmp_path, "Flo", 0)], 1) as pool:
        await_all(pool)
        ill = outcomes(pool, doubles(20))
        assert len(values(ill)) == 20
        # The third strike may come while two more tasks are running.
        assert 3 <= sum(one.attempts > 1 for one in ill.values()) <= 5
        await_all(pool)
        well = outcomes(pool, doubles(20))
    assert {one.attempts for one in well.values()} == {1}
    assert {one.member for one in well.values()} == {0, 1}
    assert len(list(tmp_path.glob("Eli-*"))) == 2
    assert len(list(tmp_path.glob("Flo-*"))) == 1


def test_the_error_of_a_constructor(start: Start) -> None:
    with pytest.raises(ValueError, match="cannot be created") as caught:
        start(FailingMember, [()], 1)
    assert caught.value.__notes__ == ["in the constructor of member 0"]


def test_the_error_of_a_replacements_constructor(start: Start, tmp_path: Path) -> None:
    with (
        start(MortalWorker, [(tmp_path, 3)], 1) as pool,
        pytest.raises(ValueError, match="cannot be created"),
    ):
        outcomes(pool, [Task(0, "leave")])
    assert len(list(tmp_path.iterdir())) == 3


def test_a_pool_that_cannot_be_kept_alive_gives_up(tmp_path: Path) -> None:
    with (
        LocalPool(MortalWorker, [(tmp_path, 100)], 1) as pool,
        pytest.raises(MemberLost, match=r"exit code 4.*7 losses in a row"),
    ):
        outcomes(pool, [Task(0, "leave")])


def test_an_abandoned_run_leaves_a_pool_to_be_closed(start: Start) -> None:
    pool = start(ToyWorker, [()], 2)
    run = pool.run(doubles(10), TICK)
    next(run)
    with pytest.raises(ClusterError, match="did not finish"):
        next(pool.run([], TICK))
    pool.close()
    with pytest.raises(ClusterError, match="closed"):
        next(run)
    pool.close()
    with pytest.raises(ClusterError, match="closed"):
        next(pool.run([], TICK))


@pytest.mark.parametrize(("size", "depth"), [(0, 1), (1, 0)])
def test_a_pool_has_members_and_depth(start: Start, size: int, depth: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        start(ToyWorker, [()] * size, depth)


def test_an_iterator_that_fails_ends_the_run() -> None:
    def tasks() -> Iterator[Task]:
        yield Task(0, "double", (1,))
        raise OSError("the list is gone")

    with LocalPool(ToyWorker, [()], 1) as pool:
        with pytest.raises(OSError, match="the list is gone"):
            list(pool.run(tasks(), TICK))
        with pytest.raises(ClusterError, match="did not finish"):
            list(pool.run([], TICK))


def test_memory_does_not_grow_with_the_number_of_tasks() -> None:
    tasks = (Task(task, "double", (task,)) for task in range(100_000))
    blocks = []
    with LocalPool(ToyWorker, [(), ()], 4) as pool:
        for number, _ in enumerate(pool.run(tasks, TICK)):
            if number % 10_000 == 5_000:
                blocks.append(sys.getallocatedblocks())
    assert len(blocks) == 10
    assert max(blocks) < blocks[0] + 1000


def test_every_task_finishes_and_all_members_work(pair: Pool) -> None:
    found = outcomes(pair, doubles(100))
    assert values(found) == {task: 2 * task for task in range(100)}
    assert {one.member for one in found.values()} == {0, 1}
    assert {one.attempts for one in found.values()} == {1}


def test_nothing_to_do_is_done_at_once(pair: Pool) -> None:
    assert list(pair.run([], TICK)) == []


def test_no_more_tasks_are_pulled_than_size_times_depth(pair: Pool) -> None:
    taken: list[Task] = []

    def tasks() -> Iterator[Task]:
        for task in doubles(40):
            taken.append(task)
            yield task

    for number, _ in enumerate(pair.run(tasks(), TICK)):
        assert len(taken) <= number + pair.size * 2
    assert len(taken) == 40


def test_the_caller_gets_a_tick_from_time_to_time(pair: Pool) -> None:
    began = time.monotonic()
    seen = list(pair.run([Task(number, "sleep", (0.02,)) for number in range(25)], tick=0.05))
    ticks = seen.count(None)
    assert len(seen) - ticks == 25
    assert 1 <= ticks <= (time.monotonic() - began) / 0.05


def test_a_methods_error_is_the_outcome_after_three_attempts(pair: Pool, tmp_path: Path) -> None:
    found = outcomes(pair, [*doubles(10), Task(10, "fail_here", (tmp_path,))])
    failed = found.pop(10)
    assert isinstance(failed, Failed)
    assert type(failed.error) is KeyError
    assert failed.error.__notes__ == [f"in fail_here of member {failed.member}"]
    assert failed.attempts == 3
    tried = [mark.name.partition("-")[0] for mark in tmp_path.iterdir()]
    assert sorted(set(tried)) == ["Ann", "Bea"]
    assert len(tried) == 3
    assert len(values(found)) == 10


def test_arrays_arrive_read_only(pair: Pool) -> None:
    (finished,) = outcomes(pair, [Task(0, "zeros", (np.ones(3, np.float32),))]).values()
    assert isinstance(finished, Finished)
    is_writeable, array = finished.value
    assert not is_writeable
    assert array.tolist() == [0, 0, 0]
    assert not array.flags.writeable


def test_a_deadly_task_is_quarantined_and_its_neighbours_finish(pair: Pool, tmp_path: Path) -> None:
    tasks = doubles(30)
    tasks[5] = Task(5, "leave_here", (tmp_path,))
    found = outcomes(pair, tasks)
    deadly = found.pop(5)
    assert isinstance(deadly, Failed)
    assert isinstance(deadly.error, Quarantined)
    assert "exit code 3" in str(deadly.error)
    assert "\n" not in str(deadly.error)
    assert not deadly.error.is_for_memory
    assert deadly.attempts == len(list(tmp_path.glob("*-*"))) == 3
    assert values(found) == {task: 2 * task for task in found}
    assert values(outcomes(pair, doubles(4))) == {0: 0, 1: 2, 2: 4, 3: 6}


def test_an_error_that_cannot_be_pickled_is_quoted(pair: Pool) -> None:
    (failed,) = outcomes(pair, [Task(0, "fail_oddly")]).values()
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, MemberFailed)
    message = f"UnpicklableError in fail_oddly of member {failed.member}: here: mind the gap"
    assert str(failed.error) == message
