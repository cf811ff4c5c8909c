"""What `crew.workers: auto` asks a cluster for."""

from dataclasses import replace

import pytest

from jobs.planning.estimate.comparison import useful_workers
from jobs.planning.estimate.conditions import cluster_conditions, usefully_crewed
from jobs.planning.estimate.gpu_specs import CARDS, CPU
from jobs.planning.poster import Plan
from jobs.spec.base import Crew
from tests.jobs.scale.poster import poster


@pytest.fixture(scope="module")
def plan() -> Plan:
    """A poster with many tiles, for more workers than pay."""
    return poster(6000, 6000).crewed(100)


def test_auto_asks_for_what_is_useful(plan: Plan) -> None:
    useful = useful_workers(plan, cluster_conditions(plan, CPU))
    found = usefully_crewed(plan, ())

    assert 1 < useful < 100
    assert found.workers == useful
    assert found.octaves == plan.crewed(useful).octaves
    assert found.identity == plan.identity


def test_never_for_more_than_there_can_be(plan: Plan) -> None:
    few = plan.crewed(3)
    assert usefully_crewed(few, ()) is few


def test_a_number_stays_as_it_was_given(plan: Plan) -> None:
    named = replace(plan, spec=plan.spec.model_copy(update={"crew": Crew(workers=100)}))
    assert usefully_crewed(named, ()) is named


def test_never_for_fewer_than_one() -> None:
    assert usefully_crewed(poster(64, 64), ()).workers == 1


def test_slower_gpus_are_asked_for_in_larger_numbers(plan: Plan) -> None:
    on_gpus = replace(plan, gpus_per_worker=1, precision="bfloat16")
    slow, fast, unknown, both = (
        usefully_crewed(on_gpus, kinds).workers
        for kinds in (("L4",), ("H200",), (), ("H200", "L4", "RTX9"))
    )
    assert slow == useful_workers(on_gpus, cluster_conditions(on_gpus, CARDS["l4"]))
    assert 1 <= fast <= slow == unknown == both
