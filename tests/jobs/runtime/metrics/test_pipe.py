"""Readings from one process to another, of which neither waits for the other."""

import os
from collections.abc import Iterator

import pytest

from jobs.runtime.metrics.counters import MetricsSnapshot
from jobs.runtime.metrics.pipe import SnapshotReader, SnapshotWriter


@pytest.fixture
def ear() -> Iterator[SnapshotReader]:
    one = SnapshotReader()
    yield one
    one.close()


def test_the_newest_readings_arrive_once(ear: SnapshotReader) -> None:
    mouth = SnapshotWriter(ear.child_end)
    assert ear.newest() is None
    for steps in (1, 2):
        mouth(MetricsSnapshot(steps=steps, retries={"infra": 1}, gpu_memory=(5, 6)))
    assert ear.newest() == MetricsSnapshot(steps=2, retries={"infra": 1}, gpu_memory=(5, 6))
    assert ear.newest() is None
    ear.close_child_end()


def test_last_words_are_heard_after_death(ear: SnapshotReader) -> None:
    SnapshotWriter(ear.child_end)(MetricsSnapshot(steps=3))
    ear.close_child_end()
    assert ear.newest() == MetricsSnapshot(steps=3)
    assert ear.newest() is None


def test_who_speaks_waits_for_nobody_and_is_understood_later(ear: SnapshotReader) -> None:
    mouth = SnapshotWriter(ear.child_end)
    # Longer than what a pipe takes as a whole, so that one line is cut.
    many = tuple(range(10**9, 10**9 + 1000))
    for steps in range(100):
        mouth(MetricsSnapshot(steps=steps, gpu_memory=many))
    first = ear.newest()
    assert first is not None
    assert first.gpu_memory == many
    # The rest of the line that was cut goes first.
    mouth(MetricsSnapshot(steps=100))
    mouth(MetricsSnapshot(steps=101))
    assert ear.newest() == MetricsSnapshot(steps=101)
    ear.close_child_end()


def test_who_speaks_to_nobody_is_not_hurt() -> None:
    ear = SnapshotReader()
    ear.close()
    SnapshotWriter(ear.child_end)(MetricsSnapshot())
    ear.close_child_end()


def test_what_is_no_reading_is_passed_over(ear: SnapshotReader) -> None:
    SnapshotWriter(ear.child_end)(MetricsSnapshot(steps=1))
    os.write(ear.child_end, b'{"version": 2}\nnonsense\n')
    assert ear.newest() == MetricsSnapshot(steps=1)
    ear.close_child_end()
