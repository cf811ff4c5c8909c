"""The number of workers that `crew.workers: auto` means on a cluster."""

from dataclasses import replace

import pytest

from jobs.planning.estimate.comparison import useful_workers
from jobs.planning.estimate.conditions import cluster_conditions, with_useful_workers
from jobs.planning.estimate.speed import CPU, GPUS
from jobs.planning.poster import PosterPlan
from jobs.spec.base import Crew
from tests.support.estimate_plans import noise_plan


@pytest.fixture(scope="module")
def plan() -> PosterPlan:
    """A poster with many tiles, planned for more workers than are useful."""
    return noise_plan(6000, 6000).with_workers(100)


def test_auto_uses_the_useful_workers(plan: PosterPlan) -> None:
    useful = useful_workers(plan, cluster_conditions(plan, CPU))
    found = with_useful_workers(plan, ())

    assert 1 < useful < 100
    assert found.workers == useful
    assert found.octaves == plan.with_workers(useful).octaves
    assert found.identity == plan.identity


def test_auto_never_adds_workers(plan: PosterPlan) -> None:
    few = plan.with_workers(3)
    assert with_useful_workers(few, ()) is few


def test_a_given_number_stays(plan: PosterPlan) -> None:
    named = replace(plan, spec=plan.spec.model_copy(update={"crew": Crew(workers=100)}))
    assert with_useful_workers(named, ()) is named


def test_auto_uses_at_least_one() -> None:
    assert with_useful_workers(noise_plan(64, 64), ()).workers == 1


def test_more_slow_gpus_than_fast_ones_are_useful(plan: PosterPlan) -> None:
    on_gpus = replace(plan, gpus_per_worker=1, precision="bfloat16")
    slow, fast, unknown, both = (
        with_useful_workers(on_gpus, kinds).workers
        for kinds in (("L4",), ("H200",), (), ("H200", "L4", "RTX9"))
    )
    assert slow == useful_workers(on_gpus, cluster_conditions(on_gpus, GPUS["l4"]))
    assert 1 <= fast <= slow == unknown == both
