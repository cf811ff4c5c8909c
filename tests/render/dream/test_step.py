"""One step: its global scales, and its change of the canvas."""

import math
from dataclasses import replace
from random import Random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from render.dream.band_gradient import lightness_part, project_gradient
from render.dream.canvas import abs_sums, apply_change, ascend, clamp_canvas
from render.dream.config import Dream, Moment
from render.dream.objective import Mix, Objective
from render.dream.step import Step, step_at, step_scales
from render.geometry.edges import Edges
from render.geometry.sampling_grid import SamplingGrid
from render.geometry.units import UnitGrid
from render.pictures.colour import BLACK, MEAN, STD, WHITE
from tests.support.seeded_networks import noise_picture

ONE = Step((Objective("a"),), 1.0, (0, 0))
TWO = Step((Objective("a") * 3, Objective("b") * -1), 1.0, (0, 0))


def test_a_step_changes_the_picture_by_its_size_on_average() -> None:
    canvas, gradient = torch.zeros(40, 50, 3, dtype=torch.float64), noise_picture((40, 50)) * 1e-7
    step = replace(ONE, length=0.01)
    scale = step_scales(step, [tuple(abs_sums([gradient]).tolist())], (40, 50))
    risen = ascend(canvas, [gradient], scale)
    assert float(risen.abs().mean()) == pytest.approx(0.01, rel=1e-12)
    assert torch.equal(risen.sign(), gradient.sign())


def test_in_a_mix_weights_compare_layers_whatever_their_gradients() -> None:
    gradients = [noise_picture((30, 30), 1) * 1e-9, noise_picture((30, 30), 2) * 1e6]
    first, second = step_scales(TWO, [tuple(abs_sums(gradients).tolist())], (30, 30))
    parts = [first * gradients[0], second * gradients[1]]
    assert float(parts[0].abs().mean()) == pytest.approx(0.75)
    assert float(parts[1].abs().mean()) == pytest.approx(0.25)
    assert second < 0 < first


def test_a_dead_objective_gets_no_scale() -> None:
    assert step_scales(TWO, [(0.0, 27.0)], (3, 3)) == (0.0, -0.25)
    assert step_scales(ONE, [(0.0,), (0.0,)], (3, 3)) == (0.0,)


@given(st.lists(st.floats(0, 1e12), min_size=1, max_size=30))
def test_sums_are_added_in_tile_order(sums: list[float]) -> None:
    total = 1.0
    for part in sums:
        total += part
    found = step_scales(ONE, [(1.0,), *((part,) for part in sums)], (20, 30))
    assert found == (1.0 / (total / (20 * 30 * 3)),)


@settings(max_examples=30)
@given(st.lists(st.floats(1e-3, 1e3), min_size=2, max_size=200), st.randoms())
def test_where_the_picture_wraps_the_order_of_sums_changes_nothing(
    sums: list[float], random: Random
) -> None:
    """The mean has 24 bits, as many as float32."""
    step = replace(ONE, rounds_means=True)
    first = step_scales(step, [(part,) for part in sums], (20, 30))
    random.shuffle(sums)
    assert step_scales(step, [(part,) for part in sums], (20, 30)) == first
    exact = 1800 / math.fsum(sums)
    assert first[0] == pytest.approx(exact, rel=2**-24)
    assert 1 / float(np.float32(1 / exact)) == first[0]


def test_means_are_rounded_where_an_axis_wraps() -> None:
    mix, grid, moment = Mix((Objective("a"),)), SamplingGrid(4, 9, 8), Moment(0, 1, 0, 1)
    every: list[Edges] = ["zero", "mirror", "wrap", "wrap-x", "wrap-y"]
    steps = [step_at(mix, Dream(edges=edges), grid, moment, 0) for edges in every]
    assert [step.rounds_means for step in steps] == [False, False, True, True, True]


@given(st.floats(0, 1e-30), st.integers(0, 40))
def test_a_nearly_dead_layer_makes_no_bad_numbers(faint: float, power: int) -> None:
    """Gradients at the limits of float32, the smallest number included."""
    gradient = torch.zeros(3, 3, 3)
    gradient[1, 1] = faint / 2**power
    scale = step_scales(ONE, [tuple(abs_sums([gradient]).tolist())], (3, 3))
    assert bool(ascend(torch.zeros(3, 3, 3), [gradient], scale).isfinite().all())


def test_sums_are_of_float64_whatever_the_gradient() -> None:
    ones = torch.full((4096, 4096, 3), 0.1)
    assert abs_sums([ones]).dtype == torch.float64
    assert float(abs_sums([ones])[0]) == pytest.approx(4096 * 4096 * 3 * float(ones[0, 0, 0]))


def test_colours_stay_between_black_and_white() -> None:
    found = clamp_canvas(noise_picture((20, 20)) * 100)
    assert bool((found >= torch.tensor(BLACK, dtype=found.dtype)).all())
    assert bool((found <= torch.tensor(WHITE, dtype=found.dtype)).all())
    inside = noise_picture((20, 20)).clamp(-1, 1)
    assert torch.equal(clamp_canvas(inside), inside)


def test_a_neuron_changes_what_it_sees_as_much_as_on_a_small_picture() -> None:
    step = replace(ONE, objectives=(Objective("a", at=((0.1, 0.1), (0.9, 0.9))),))
    units = {"a": UnitGrid(stride=8, start=-3, field=20)}
    large, small = (
        step_scales(step, [(1.0,)], size, units)[0] for size in ((1000, 1000), (10, 10))
    )
    assert large == pytest.approx(2 * 20 * 20 * 3)
    assert small == pytest.approx(10 * 10 * 3)


def test_bands_together_change_the_picture_by_the_steps_length() -> None:
    step = replace(ONE, band_factors=(0.6, 0.8))
    found = [noise_picture((60, 60), seed) * 10.0**seed for seed in (1, 2)]
    factors = step_scales(step, [tuple(abs_sums(found).tolist())], (60, 60))
    risen = ascend(torch.zeros(60, 60, 3, dtype=torch.float64), found, factors)
    assert float(risen.abs().mean()) == pytest.approx(1, rel=0.1)


def test_without_objectives_a_step_changes_nothing() -> None:
    step, canvas = Step((), 1.0, (0, 0)), noise_picture((5, 5)).clamp(-1, 1)
    sums = [tuple(abs_sums([]).tolist())] * 2
    assert torch.equal(ascend(canvas, [], step_scales(step, sums, (5, 5))), canvas)


def test_masks_weight_positions() -> None:
    canvas, gradient = torch.zeros(4, 4, 3, dtype=torch.float64), noise_picture((4, 4)) * 0.1
    left = torch.zeros(4, 4, 1, dtype=torch.float64)
    left[:, :2] = 0.5
    masked = ascend(canvas, [gradient, gradient], (1.0, 1.0), [left, None])
    assert torch.allclose(masked[:, :2], gradient[:, :2] * 1.5)
    assert torch.allclose(masked[:, 2:], gradient[:, 2:])
    weak = ascend(canvas, [gradient], (1.0,), strength=left)
    assert torch.allclose(weak[:, :2], gradient[:, :2] * 0.5)
    assert not weak[:, 2:].any()


@given(st.integers(0, 2**31), st.floats(0.01, 3))
def test_colours_are_kept_up_to_black_and_white(seed: int, much: float) -> None:
    canvas = clamp_canvas(noise_picture((6, 6), seed))
    change = lightness_part(noise_picture((6, 6), seed + 1)) * much
    risen = apply_change(canvas, change, "colours")
    rgb, before = ((x * torch.tensor(STD) + torch.tensor(MEAN)) for x in (risen, canvas))
    assert torch.allclose(rgb - rgb[..., :1], before - before[..., :1], atol=1e-6)
    assert float(rgb.min()) >= -1e-6
    assert float(rgb.max()) <= 1 + 1e-6
    assert not torch.equal(risen, canvas)


def test_only_lightness_is_left_of_a_gradient() -> None:
    """The removed part changes no lightness: it is orthogonal to all changes of lightness."""
    gradient = noise_picture((5, 5))
    grey = 1 / torch.tensor(STD, dtype=torch.float64)
    light = lightness_part(gradient) / (grey**2).sum()
    assert torch.allclose(light / grey, (light / grey)[..., :1].expand_as(light))
    assert float((lightness_part(gradient - light)).abs().max()) < 1e-10


@given(st.integers(0, 2**31), st.sampled_from([None, "colours"]))
def test_a_soft_limit_is_approached_and_never_reached(seed: int, keep: object) -> None:
    dream = Dream(limit="soft", keep=keep)  # type: ignore[arg-type]
    canvas = (
        clamp_canvas(noise_picture((6, 6), seed) * 0.5) * 0.9
    )  # from black itself nothing gets any darker
    gradient = lightness_part(noise_picture((6, 6), seed + 1)).abs()
    gradient = (
        gradient / gradient.max() + 0.01
    )  # a strong step changes a pixel by 0.2 in normalised space
    for sign in (1.0, -1.0):
        risen = canvas
        for _ in range(30):
            risen = ascend(risen, [gradient * 0.2], (sign,), dream=dream)
        assert bool(((risen - canvas) * sign > 0).all())
        rgb = risen * torch.tensor(STD) + torch.tensor(MEAN)
        assert float(rgb.min()) > 0
        assert float(rgb.max()) < 1


def test_far_from_black_and_white_a_soft_limit_does_nothing() -> None:
    canvas, gradient = torch.zeros(4, 4, 3, dtype=torch.float64), noise_picture((4, 4)) * 0.1
    soft, hard = (
        ascend(canvas, [gradient], (1.0,), dream=Dream(limit=one)) for one in ("soft", "hard")
    )
    assert torch.allclose(soft, hard, atol=1e-12)


def test_natural_colours_prefer_lightness() -> None:
    """Lightness keeps more of a gradient than hues do, and the direction is still an ascent."""
    gradient = noise_picture((8, 8))
    natural = project_gradient(gradient, Dream(palette="natural"))
    assert torch.equal(project_gradient(gradient, Dream(palette="free")), gradient)
    assert float((natural * gradient).sum()) > 0
    change = natural * torch.tensor(STD)
    grey = change.mean(-1, keepdim=True)
    assert float((change - grey).norm()) < 0.6 * float(
        (gradient - gradient.mean(-1, True)).norm()
    ) / (float(gradient.norm()) / float(change.norm()))
