"""Speeds from data sheets."""

from dataclasses import replace

import pytest

from jobs.planning.estimate.speed import CPU, GPUS, datasheet_speed
from tests.support.estimate_plans import COST


def test_a_core_is_limited_by_its_arithmetic() -> None:
    found = datasheet_speed(CPU, COST, "float32")
    assert found.window_pixel == pytest.approx(COST.flops_per_pixel / (58e9 * 0.8))
    assert found.window == 0
    assert datasheet_speed(CPU, COST, "float64").window_pixel == 2 * found.window_pixel


def test_a_gpu_is_limited_by_the_slower_of_memory_and_arithmetic() -> None:
    heavy = replace(COST, flops_per_pixel=1e9)
    h100, h200 = GPUS["h100"], GPUS["h200"]

    assert (
        datasheet_speed(h200, COST, "bfloat16").window_pixel
        < datasheet_speed(h100, COST, "bfloat16").window_pixel
    )
    assert datasheet_speed(h200, heavy, "bfloat16").window_pixel == pytest.approx(
        datasheet_speed(h100, heavy, "bfloat16").window_pixel
    )


@pytest.mark.parametrize("name", GPUS)
def test_the_origin_names_the_data_sheet(name: str) -> None:
    assert datasheet_speed(GPUS[name], COST, "bfloat16").origin == f"from the data sheet of {name}"
