"""The largest crew without useless members."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.planning.estimate.comparison import (
    MIN_MARGINAL_EFFICIENCY,
    candidate_sizes,
    largest_useful_crew,
    useful_workers,
)
from jobs.planning.estimate.network import cluster_network
from jobs.planning.estimate.prediction import predict
from jobs.planning.estimate.speed import Speed
from tests.support.estimate_plans import make_conditions, noise_plan


def amdahl(serial: float) -> Callable[[int], float]:
    """The time of a crew by its size, if a fraction `serial` has to run on one worker (Amdahl)."""
    return lambda workers: serial + (1 - serial) / workers


def test_divisible_work_uses_every_worker() -> None:
    assert largest_useful_crew(amdahl(0), 64) == 64


def test_indivisible_work_uses_one_worker() -> None:
    assert largest_useful_crew(amdahl(1), 64) == 1
    assert largest_useful_crew(lambda workers: 10.0 + workers, 64) == 1


def test_it_stops_when_a_worker_adds_less_than_half() -> None:
    seconds = amdahl(0.1)
    found = largest_useful_crew(seconds, 64)
    assert 1 / seconds(found) - 1 / seconds(found - 1) >= MIN_MARGINAL_EFFICIENCY
    assert 1 / seconds(found + 1) - 1 / seconds(found) < MIN_MARGINAL_EFFICIENCY


def test_a_saved_row_of_tiles_counts() -> None:
    assert largest_useful_crew(lambda workers: -(-6 // workers), 64) == 6


def test_fixed_seconds_end_the_search_early() -> None:
    tried: list[int] = []

    def seconds(workers: int) -> float:
        tried.append(workers)
        return 10 + 90 / workers

    assert largest_useful_crew(seconds, 512, fixed_seconds=10) == largest_useful_crew(seconds, 512)
    tried.clear()
    largest_useful_crew(seconds, 512, fixed_seconds=10)
    assert max(tried) < 64


@given(st.integers(1, 512))
def test_sizes_grow_to_the_maximum(most: int) -> None:
    sizes = list(candidate_sizes(most))
    assert sizes[0] == 1
    assert sizes[-1] == most
    assert sizes == sorted(set(sizes))
    assert set(range(1, min(most, 8) + 1)) <= set(sizes)


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=40))
def test_no_smaller_crew_is_as_fast_as_the_useful_one(times: list[float]) -> None:
    found = largest_useful_crew(lambda workers: times[workers - 1], len(times))
    tried = [size for size in candidate_sizes(len(times)) if size < found]
    assert all(times[size - 1] > times[found - 1] for size in tried)


@settings(max_examples=25)
@given(st.integers(64, 4000), st.integers(64, 4000), st.integers(256, 1000))
def test_more_workers_are_faster_while_they_are_useful(height: int, width: int, tile: int) -> None:
    plan, usual = noise_plan(height, width, tile), make_conditions(network=cluster_network(25))
    useful = useful_workers(plan, usual)
    least = predict(plan, useful, usual).seconds

    assert 1 <= useful <= len(plan.grids[-1])
    assert all(predict(plan, size, usual).seconds >= least for size in candidate_sizes(useful))


@pytest.mark.parametrize("faster", [10, 1000])
def test_fewer_faster_workers_are_useful(faster: int) -> None:
    plan = noise_plan(8000, 8000)
    slow = Speed(0.0, 2e-6, 1e-7, "")
    fast = Speed(0.0, 2e-6 / faster, 1e-7 / faster, "")
    link = cluster_network(10)
    assert (
        1
        <= useful_workers(plan, make_conditions(fast, link))
        < useful_workers(plan, make_conditions(slow, link))
    )
