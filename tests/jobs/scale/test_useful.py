"""Where more workers stop paying."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.planning.estimate.comparison import PAYS, crews, stop, useful_workers
from jobs.planning.estimate.network import network
from jobs.planning.estimate.prediction import predict
from jobs.planning.estimate.speed import Speed
from tests.jobs.scale.poster import conditions, poster


def amdahl(serial: float) -> Callable[[int], float]:
    """A crew of which a part of the work is done by one."""
    return lambda workers: serial + (1 - serial) / workers


def test_what_divides_well_pays_to_the_end() -> None:
    assert stop(amdahl(0), 64) == 64


def test_what_does_not_divide_needs_one() -> None:
    assert stop(amdahl(1), 64) == 1
    assert stop(lambda workers: 10.0 + workers, 64) == 1


def test_it_stops_where_a_further_worker_adds_less_than_half_of_the_first() -> None:
    seconds = amdahl(0.1)
    found = stop(seconds, 64)
    assert 1 / seconds(found) - 1 / seconds(found - 1) >= PAYS
    assert 1 / seconds(found + 1) - 1 / seconds(found) < PAYS


def test_a_row_of_tiles_counts_when_it_is_reached() -> None:
    assert stop(lambda workers: -(-6 // workers), 64) == 6


def test_a_floor_that_no_crew_passes_spares_trying_larger_ones() -> None:
    tried: list[int] = []

    def seconds(workers: int) -> float:
        tried.append(workers)
        return 10 + 90 / workers

    assert stop(seconds, 512, least=10) == stop(seconds, 512)
    tried.clear()
    stop(seconds, 512, least=10)
    assert max(tried) < 64


@given(st.integers(1, 512))
def test_crews_grow_to_the_most_that_is_allowed(most: int) -> None:
    sizes = list(crews(most))
    assert sizes[0] == 1
    assert sizes[-1] == most
    assert sizes == sorted(set(sizes))
    assert set(range(1, min(most, 8) + 1)) <= set(sizes)


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=40))
def test_no_smaller_crew_is_as_fast_as_the_useful_one(times: list[float]) -> None:
    found = stop(lambda workers: times[workers - 1], len(times))
    tried = [size for size in crews(len(times)) if size < found]
    assert all(times[size - 1] > times[found - 1] for size in tried)


@settings(max_examples=25)
@given(st.integers(64, 4000), st.integers(64, 4000), st.integers(256, 1000))
def test_more_workers_never_take_longer_up_to_where_they_stop_paying(
    height: int, width: int, tile: int
) -> None:
    plan, usual = poster(height, width, tile), conditions(link=network(25))
    useful = useful_workers(plan, usual)
    least = predict(plan, useful, usual).seconds

    assert 1 <= useful <= len(plan.grids[-1])
    assert all(predict(plan, size, usual).seconds >= least for size in crews(useful))


@pytest.mark.parametrize("faster", [10, 1000])
def test_faster_workers_stop_paying_sooner(faster: int) -> None:
    plan = poster(8000, 8000)
    slow = Speed(0.0, 2e-6, 1e-7, "")
    fast = Speed(0.0, 2e-6 / faster, 1e-7 / faster, "")
    link = network(10)
    assert (
        1
        <= useful_workers(plan, conditions(fast, link))
        < useful_workers(plan, conditions(slow, link))
    )
