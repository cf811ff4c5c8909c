"""Predicted times depend only on the plan, the speed and the network."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.planning.estimate.comparison import compare_crews
from jobs.planning.estimate.network import ONE_MACHINE, cluster_network, halo_traffic
from jobs.planning.estimate.prediction import predict
from jobs.planning.estimate.speed import Speed
from jobs.planning.octave import worker_loads
from jobs.planning.poster import PosterPlan
from jobs.spec.poster import Output
from render.geometry.grid import Grid
from render.geometry.partition import partition
from render.geometry.sampling_grid import SamplingGrid
from tests.support.estimate_plans import SLOW, make_conditions, noise_plan


def test_the_busiest_worker_determines_the_step() -> None:
    plan = noise_plan(2000, 3000)
    per_pixel = Speed(window=0, window_pixel=1e-6, pixel=0, origin="of a test")
    for workers in (1, 2, 7):
        found = predict(plan, workers, make_conditions(per_pixel))
        busiest = plan.with_workers(workers).octaves[-1].busiest_pixels
        assert found.step.compute == pytest.approx(busiest * 1e-6)


def test_windows_and_gradient_pixels_cost_time() -> None:
    grid, sampling_grid = Grid(500, 400, 256), SamplingGrid(8, 91, jitter=0, margin=20)
    (load,) = worker_loads(grid, sampling_grid, partition(grid, 1))
    heights, widths = 276 + 264, 276 + 164

    assert (load.tiles, load.gradient_pixels) == (4, heights * widths)
    assert Speed(2.0, 0, 3.0, "").seconds(load) == 4 * 2 + heights * widths * 3


def test_workers_that_share_cores_wait_for_each_other() -> None:
    plan = noise_plan(2048, 2048)
    alone, crowded = (
        predict(plan, workers, make_conditions(parallel_workers=1)).step.compute
        for workers in (1, 4)
    )
    free = predict(plan, 4, make_conditions()).step.compute
    assert crowded == pytest.approx(alone)
    assert free == pytest.approx(alone / 4, rel=0.1)


def test_a_slower_network_slows_only_halos() -> None:
    plan = noise_plan(4000, 4000)
    fast, slow = (
        predict(plan, 4, make_conditions(network=cluster_network(gbps))).step for gbps in (100, 1)
    )
    local = predict(plan, 4, make_conditions(network=ONE_MACHINE)).step

    assert local.halo < fast.halo < slow.halo
    assert (fast.compute, fast.calls, fast.halo_bytes) == (
        slow.compute,
        slow.calls,
        slow.halo_bytes,
    )
    moved = halo_traffic(plan.grids[-1], plan.sampling_grid, partition(plan.grids[-1], 4), 4)
    assert fast.halo_bytes == moved.total_bytes
    assert slow.halo - local.halo == pytest.approx(moved.busiest_bytes / (0.8 * 1e9 / 8))


def test_halo_bytes_add_up_over_octaves() -> None:
    few, many = (
        predict(noise_plan(1500, 1500, steps=steps), 3, make_conditions()) for steps in (1, 5)
    )
    assert many.halo_bytes == 5 * few.halo_bytes > 0
    assert few.halo_bytes == sum(one.step.halo_bytes for one in few.octaves)


def test_long_octaves_have_more_checkpoints() -> None:
    plan = noise_plan(6000, 6000)
    calm, busy = (
        predict(plan, 1, make_conditions(replace(SLOW, window_pixel=cost))).octaves[-1]
        for cost in (1e-9, 1e-5)
    )
    assert busy.checkpoints > 3 * calm.checkpoints > 0


def with_outputs(*outputs: str) -> PosterPlan:
    plan = noise_plan(2000, 3000)
    return replace(plan, spec=plan.spec.model_copy(update={"outputs": tuple(map(output, outputs))}))


def output(text: str) -> Output:
    name, _, depth = text.partition(":")
    return Output.model_validate({"format": name, "depth": int(depth or 8)})


def encode_seconds(workers: int, *outputs: str) -> float:
    return predict(with_outputs(*outputs), workers, make_conditions()).encode


def test_more_cores_write_a_file_faster_but_not_a_deepzoom() -> None:
    for name in ("png", "tiff", "jpeg", "png:16", "tiff:16"):
        one, two, four = (encode_seconds(workers, name) for workers in (1, 2, 4))
        # What one thread does alone stays.
        assert one > two > four > one / 4
        assert one - two == pytest.approx(2 * (two - four))
    assert encode_seconds(1, "deepzoom") == encode_seconds(4, "deepzoom")


def test_files_share_the_cores() -> None:
    png, tiff = encode_seconds(1, "png"), encode_seconds(1, "tiff")
    assert encode_seconds(1, "png", "tiff") == pytest.approx(png + tiff)
    assert encode_seconds(2, "png", "tiff") == pytest.approx(max(png, tiff))
    assert encode_seconds(4, "png", "tiff") == pytest.approx(encode_seconds(2, "tiff"))


def test_the_cost_counts_all_workers_until_encoding() -> None:
    found = predict(noise_plan(3000, 3000), 4, make_conditions())
    # The crew is released before files are encoded.
    assert found.cost == pytest.approx(4 * (found.seconds - found.encode) / 3600)
    assert replace(found, price=None).cost is None


@settings(max_examples=25)
@given(st.integers(64, 4000), st.integers(64, 4000), st.integers(256, 900), st.integers(1, 9))
def test_one_worker_has_efficiency_1_and_no_halos(
    height: int, width: int, tile: int, workers: int
) -> None:
    found = compare_crews(noise_plan(height, width, tile), make_conditions(), [workers])
    one = found.crews[0]

    assert (one.workers, found.efficiency(one)) == (1, 1)
    assert (one.halo_bytes, one.step.halo) == (0, 0)
    assert {workers, found.useful_workers} <= {crew.workers for crew in found.crews}
    assert all(found.efficiency(crew) <= 1.01 for crew in found.crews)
