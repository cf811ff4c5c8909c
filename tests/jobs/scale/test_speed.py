"""What a data sheet lets expect."""

from dataclasses import replace

import pytest

from jobs.planning.estimate.gpu_specs import CARDS, CPU
from jobs.planning.estimate.speed import sheet_speed
from tests.jobs.scale.poster import COST


def test_a_core_is_limited_by_its_arithmetic() -> None:
    found = sheet_speed(CPU, COST, "float32")
    assert found.window_pixel == pytest.approx(COST.flops / (58e9 * 0.8))
    assert found.window == 0
    assert sheet_speed(CPU, COST, "float64").window_pixel == 2 * found.window_pixel


def test_a_gpu_is_limited_by_its_memory_where_that_is_slower() -> None:
    heavy = replace(COST, flops=1e9)
    h100, h200 = CARDS["h100"], CARDS["h200"]

    assert (
        sheet_speed(h200, COST, "bfloat16").window_pixel
        < sheet_speed(h100, COST, "bfloat16").window_pixel
    )
    assert sheet_speed(h200, heavy, "bfloat16").window_pixel == pytest.approx(
        sheet_speed(h100, heavy, "bfloat16").window_pixel
    )


@pytest.mark.parametrize("name", CARDS)
def test_it_says_where_it_comes_from(name: str) -> None:
    assert sheet_speed(CARDS[name], COST, "bfloat16").origin == f"from the data sheet of {name}"
