"""What a crew would take follows from the plan, the speed and the link, and from nothing else."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.planning.estimate.comparison import outlook
from jobs.planning.estimate.network import ONE_MACHINE, network, traffic
from jobs.planning.estimate.prediction import predict
from jobs.planning.estimate.speed import Speed
from jobs.planning.octave import loads
from render.geometry.grid import Grid
from render.geometry.partition import partition
from render.geometry.sampling_grid import Lattice
from tests.jobs.scale.poster import SLOW, conditions, poster


def test_a_step_takes_as_long_as_its_busiest_member_computes() -> None:
    plan = poster(2000, 3000)
    per_pixel = Speed(window=0, window_pixel=1e-6, pixel=0, origin="of a test")
    for workers in (1, 2, 7):
        found = predict(plan, workers, conditions(per_pixel))
        busiest = plan.crewed(workers).octaves[-1].busiest
        assert found.step.compute == pytest.approx(busiest * 1e-6)


def test_what_each_window_and_each_slope_costs_counts_too() -> None:
    grid, lattice = Grid(500, 400, 256), Lattice(8, 91, jitter=0, margin=20)
    (load,) = loads(grid, lattice, partition(grid, 1))
    heights, widths = 276 + 264, 276 + 164

    assert (load.tiles, load.slopes) == (4, heights * widths)
    assert Speed(2.0, 0, 3.0, "").seconds(load) == 4 * 2 + heights * widths * 3


def test_members_that_share_cores_wait_for_each_other() -> None:
    plan = poster(2048, 2048)
    alone, crowded = (
        predict(plan, workers, conditions(at_once=1)).step.compute for workers in (1, 4)
    )
    free = predict(plan, 4, conditions()).step.compute
    assert crowded == pytest.approx(alone)
    assert free == pytest.approx(alone / 4, rel=0.1)


def test_a_slower_network_makes_only_halos_slower() -> None:
    plan = poster(4000, 4000)
    fast, slow = (predict(plan, 4, conditions(link=network(gbps))).step for gbps in (100, 1))
    local = predict(plan, 4, conditions(link=ONE_MACHINE)).step

    assert local.halo < fast.halo < slow.halo
    assert (fast.compute, fast.calls, fast.halo_bytes) == (
        slow.compute,
        slow.calls,
        slow.halo_bytes,
    )
    moved = traffic(plan.grids[-1], plan.lattice, partition(plan.grids[-1], 4), 4)
    assert fast.halo_bytes == moved.total
    assert slow.halo - local.halo == pytest.approx(moved.most / (0.8 * 1e9 / 8))


def test_halos_of_all_steps_are_those_of_each_octave() -> None:
    few, many = (predict(poster(1500, 1500, steps=steps), 3, conditions()) for steps in (1, 5))
    assert many.halo_bytes == 5 * few.halo_bytes > 0
    assert few.halo_bytes == sum(one.step.halo_bytes for one in few.octaves)


def test_long_octaves_have_checkpoints_in_between() -> None:
    plan = poster(6000, 6000)
    calm, busy = (
        predict(plan, 1, conditions(replace(SLOW, window_pixel=cost))).octaves[-1]
        for cost in (1e-9, 1e-5)
    )
    assert busy.checkpoints > 3 * calm.checkpoints > 0


def test_every_member_is_paid_until_the_end() -> None:
    found = predict(poster(3000, 3000), 4, conditions())
    # Files are written when the crew has gone.
    assert found.cost == pytest.approx(4 * (found.seconds - found.encode) / 3600)
    assert replace(found, price=None).cost is None


@settings(max_examples=25)
@given(st.integers(64, 4000), st.integers(64, 4000), st.integers(256, 900), st.integers(1, 9))
def test_one_worker_has_efficiency_1_and_no_halos(
    height: int, width: int, tile: int, workers: int
) -> None:
    found = outlook(poster(height, width, tile), conditions(), [workers])
    one = found.crews[0]

    assert (one.workers, found.efficiency(one)) == (1, 1)
    assert (one.halo_bytes, one.step.halo) == (0, 0)
    assert {workers, found.useful} <= {crew.workers for crew in found.crews}
    assert all(found.efficiency(crew) <= 1.01 for crew in found.crews)
