"""Readings from one process to another, of which neither waits for the other."""

import os
from collections.abc import Iterator

import pytest

from jobs.runtime.metrics.counters import Readings
from jobs.runtime.metrics.pipe import Ear, Mouth


@pytest.fixture
def ear() -> Iterator[Ear]:
    one = Ear()
    yield one
    one.close()


def test_the_newest_readings_arrive_once(ear: Ear) -> None:
    mouth = Mouth(ear.mouth)
    assert ear.newest() is None
    for steps in (1, 2):
        mouth(Readings(steps=steps, retries={"infra": 1}, gpu_memory=(5, 6)))
    assert ear.newest() == Readings(steps=2, retries={"infra": 1}, gpu_memory=(5, 6))
    assert ear.newest() is None
    ear.started()


def test_last_words_are_heard_after_death(ear: Ear) -> None:
    Mouth(ear.mouth)(Readings(steps=3))
    ear.started()
    assert ear.newest() == Readings(steps=3)
    assert ear.newest() is None


def test_who_speaks_waits_for_nobody_and_is_understood_later(ear: Ear) -> None:
    mouth = Mouth(ear.mouth)
    # Longer than what a pipe takes as a whole, so that one line is cut.
    many = tuple(range(10**9, 10**9 + 1000))
    for steps in range(100):
        mouth(Readings(steps=steps, gpu_memory=many))
    first = ear.newest()
    assert first is not None
    assert first.gpu_memory == many
    # The rest of the line that was cut goes first.
    mouth(Readings(steps=100))
    mouth(Readings(steps=101))
    assert ear.newest() == Readings(steps=101)
    ear.started()


def test_who_speaks_to_nobody_is_not_hurt() -> None:
    ear = Ear()
    ear.close()
    Mouth(ear.mouth)(Readings())
    ear.started()


def test_what_is_no_reading_is_passed_over(ear: Ear) -> None:
    Mouth(ear.mouth)(Readings(steps=1))
    os.write(ear.mouth, b'{"version": 2}\nnonsense\n')
    assert ear.newest() == Readings(steps=1)
    ear.started()
