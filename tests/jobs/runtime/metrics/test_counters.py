"""What a holder's meter adds up, and what it leaves out."""

import pytest

from jobs.records.status import Items
from jobs.runtime.metrics.counters import Counters, MetricsSnapshot
from jobs.runtime.metrics.progress import Phase, Progress
from jobs.runtime.metrics.timings import WorkerTimings


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def seen(done: float, phase: Phase = "dream") -> Progress:
    return Progress(phase, 1, 1, 0, 10, done, 10.0, done / 10)


def items(done: int, **failed: int) -> Items:
    return Items.model_validate({"items": 10, "done": done, "failed": failed})


def test_steps_count_from_where_a_crew_begins() -> None:
    counters = Counters()
    counters.start_crew(2)
    counters.add_progress(seen(0, "decode"))
    for done in (3, 3.5, 3.5, 5):
        counters.add_progress(seen(done))
    counters.add_progress(seen(10, "encode"))

    assert counters.snapshot().steps == 2
    assert counters.snapshot().megapixel_steps == pytest.approx(2)


def test_steps_that_are_done_again_are_work_too() -> None:
    counters = Counters()
    counters.start_crew(2)
    for done in (0, 1, 2):
        counters.add_progress(seen(done))
    counters.add_retry("infra")
    counters.start_crew(1)
    for done in (1, 2):
        counters.add_progress(seen(done))

    found = counters.snapshot()
    assert (found.steps, found.megapixel_steps, found.workers) == (3, 3, 1)
    assert found.retries == {"infra": 1}


def test_what_members_do_not_account_for_they_waited() -> None:
    clock = Clock()
    counters = Counters(clock=clock)
    counters.start_crew(2)
    clock.now = 10.0
    counters.add_timings(
        {m: WorkerTimings({"gradients": 6.0, "update": 1.0}, 100, 7 + m) for m in (0, 1)}
    )
    clock.now = 20.0
    counters.add_timings(
        {m: WorkerTimings({"gradients": 15.0, "update": 2.0}, 150, 7 + m) for m in (0, 1)}
    )

    found = counters.snapshot()
    assert found.phase_seconds == {"gradients": 30.0, "update": 4.0, "waiting": 6.0}
    assert (found.halo_bytes, found.gpu_memory) == (300, (7, 8))


def test_the_next_crew_measures_from_nothing() -> None:
    clock = Clock()
    counters = Counters(clock=clock)
    counters.start_crew(1)
    counters.add_timings({0: WorkerTimings({"gradients": 6.0}, 100, 9)})
    counters.start_crew(1)
    assert counters.snapshot().gpu_memory == ()
    counters.add_timings({0: WorkerTimings({"gradients": 2.0}, 10, 3)})

    found = counters.snapshot()
    assert found.phase_seconds["gradients"] == 8.0
    assert (found.halo_bytes, found.gpu_memory) == (110, (3,))


def test_items_that_others_did_do_not_count() -> None:
    counters = Counters()
    for one in (items(4, input=1), items(6, input=1), items(5, input=2, memory=1)):
        counters.add_items(one)
    # Rows that went with a pool are written again, and count once.
    assert counters.snapshot().items == {"done": 2, "input": 1, "memory": 1}


def test_it_tells_as_it_goes_but_not_at_every_step() -> None:
    clock, told = Clock(), list[MetricsSnapshot]()
    counters = Counters(told.append, clock)
    counters.start_crew(1)
    for step in range(31):
        clock.now = step / 10
        counters.add_progress(seen(step / 10))
    assert [one.steps for one in told] == [10, 20, 30]
    counters.send()
    assert told[-1] == counters.snapshot()


def test_members_are_asked_now_and_then() -> None:
    clock = Clock()
    counters = Counters(clock=clock)
    counters.start_crew(1)
    counters.add_progress(seen(0))
    assert not counters.is_due
    counters.add_progress(seen(1))
    assert counters.is_due
    counters.add_timings({0: WorkerTimings()})
    clock.now = 9.0
    counters.add_progress(seen(2))
    assert not counters.is_due
    clock.now = 10.0
    assert counters.is_due
    counters.add_timings({0: WorkerTimings()})
    assert not counters.is_due
