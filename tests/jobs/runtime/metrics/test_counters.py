"""The counters of one holder."""

import pytest

from jobs.records.status import ItemCounts
from jobs.runtime.metrics.counters import Counters, WorkerTimings
from jobs.runtime.metrics.progress import Progress, RenderPhase
from jobs.runtime.metrics.snapshot import MetricsSnapshot


class Clock:
    """A clock that the test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def progress(done: float, phase: RenderPhase = "dream") -> Progress:
    return Progress(
        phase=phase,
        octave=1,
        octaves=1,
        step=0,
        steps=10,
        done=done,
        total=10.0,
        fraction=done / 10,
    )


def items(done: int, **failed: int) -> ItemCounts:
    return ItemCounts.model_validate({"items": 10, "done": done, "failed": failed})


def test_steps_count_from_the_first_progress_of_a_crew() -> None:
    counters = Counters()
    counters.start_crew(2)
    counters.add_progress(progress(0, "decode"))
    for done in (3, 3.5, 3.5, 5):
        counters.add_progress(progress(done))
    counters.add_progress(progress(10, "encode"))

    assert counters.snapshot().steps == 2
    assert counters.snapshot().megapixel_steps == pytest.approx(2)


def test_repeated_steps_count_again() -> None:
    counters = Counters()
    counters.start_crew(2)
    for done in (0, 1, 2):
        counters.add_progress(progress(done))
    counters.add_retry("infra")
    counters.start_crew(1)
    for done in (1, 2):
        counters.add_progress(progress(done))

    found = counters.snapshot()
    assert (found.steps, found.megapixel_steps, found.workers) == (3, 3, 1)
    assert found.retries == {"infra": 1}


def test_the_rest_of_the_members_time_is_waiting() -> None:
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


def test_the_timings_of_a_new_crew_start_at_zero() -> None:
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


def test_items_of_earlier_holders_do_not_count() -> None:
    counters = Counters()
    for one in (items(4, input=1), items(6, input=1), items(5, input=2, memory=1)):
        counters.add_items(one)
    # Rows that were lost with a pool are written again, and count once.
    assert counters.snapshot().items == {"done": 2, "input": 1, "memory": 1}


def test_snapshots_are_sent_once_a_second() -> None:
    clock, sent = Clock(), list[MetricsSnapshot]()
    counters = Counters(sent.append, clock)
    counters.start_crew(1)
    for step in range(31):
        clock.now = step / 10
        counters.add_progress(progress(step / 10))
    assert [one.steps for one in sent] == [10, 20, 30]
    counters.send()
    assert sent[-1] == counters.snapshot()


def test_timings_are_due_after_the_first_step_and_then_every_ten_seconds() -> None:
    clock = Clock()
    counters = Counters(clock=clock)
    counters.start_crew(1)
    counters.add_progress(progress(0))
    assert not counters.timings_are_due
    counters.add_progress(progress(1))
    assert counters.timings_are_due
    counters.add_timings({0: WorkerTimings()})
    clock.now = 9.0
    counters.add_progress(progress(2))
    assert not counters.timings_are_due
    clock.now = 10.0
    assert counters.timings_are_due
    counters.add_timings({0: WorkerTimings()})
    assert not counters.timings_are_due
