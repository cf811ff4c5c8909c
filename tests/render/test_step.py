"""One step: global scales, and the change they make."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from render.objective import Mix, Objective
from render.pictures.colour import BLACK, WHITE
from render.scale import scales
from render.step import ascend, clamped, magnitudes
from tests.render.engine import noise

ONE = Mix((Objective("a"),))
TWO = Objective("a") * 3 + Objective("b") * -1


def test_a_step_changes_the_picture_by_its_size_on_average() -> None:
    canvas, gradient = torch.zeros(40, 50, 3, dtype=torch.float64), noise((40, 50)) * 1e-7
    scale = scales(ONE, [tuple(magnitudes([gradient]).tolist())], (40, 50))
    risen = ascend(canvas, [gradient], scale, 0.01)
    assert float(risen.abs().mean()) == pytest.approx(0.01, rel=1e-12)
    assert torch.equal(risen.sign(), gradient.sign())


def test_in_a_mix_weights_compare_layers_whatever_their_gradients() -> None:
    gradients = [noise((30, 30), 1) * 1e-9, noise((30, 30), 2) * 1e6]
    first, second = scales(TWO, [tuple(magnitudes(gradients).tolist())], (30, 30))
    parts = [first * gradients[0], second * gradients[1]]
    assert float(parts[0].abs().mean()) == pytest.approx(0.75)
    assert float(parts[1].abs().mean()) == pytest.approx(0.25)
    assert second < 0 < first


def test_a_dead_objective_gets_no_scale() -> None:
    assert scales(TWO, [(0.0, 27.0)], (3, 3)) == (0.0, -0.25)
    assert scales(ONE, [(0.0,), (0.0,)], (3, 3)) == (0.0,)


@given(st.lists(st.floats(0, 1e12), min_size=1, max_size=30))
def test_sums_are_added_in_tile_order(sums: list[float]) -> None:
    total = 1.0
    for part in sums:
        total += part
    found = scales(ONE, [(1.0,), *((part,) for part in sums)], (20, 30))
    assert found == (1.0 / (total / (20 * 30 * 3)),)


@given(st.floats(0, 1e-30), st.integers(0, 40))
def test_a_nearly_dead_layer_makes_no_bad_numbers(faint: float, power: int) -> None:
    """Gradients at the edge of what float32 holds, the smallest of all included."""
    gradient = torch.zeros(3, 3, 3)
    gradient[1, 1] = faint / 2**power
    scale = scales(ONE, [tuple(magnitudes([gradient]).tolist())], (3, 3))
    assert bool(ascend(torch.zeros(3, 3, 3), [gradient], scale, 0.02).isfinite().all())


def test_sums_are_of_float64_whatever_the_gradient() -> None:
    ones = torch.full((4096, 4096, 3), 0.1)
    assert magnitudes([ones]).dtype == torch.float64
    assert float(magnitudes([ones])[0]) == pytest.approx(4096 * 4096 * 3 * float(ones[0, 0, 0]))


def test_colours_stay_between_black_and_white() -> None:
    found = clamped(noise((20, 20)) * 100)
    assert bool((found >= torch.tensor(BLACK, dtype=found.dtype)).all())
    assert bool((found <= torch.tensor(WHITE, dtype=found.dtype)).all())
    inside = noise((20, 20)).clamp(-1, 1)
    assert torch.equal(clamped(inside), inside)
