"""The gradient beyond the edges: of a torus, of mirrored copies, and the same in tiles."""

from dataclasses import replace

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from render.dream.config import Dream, Smooth
from render.dream.objective import Mix, Objective
from render.geometry.edges import Edges
from render.geometry.grid import Grid
from render.geometry.rect import Size
from render.geometry.sampling_grid import Shift
from tests.support.seeded_networks import (
    calibrate_norms,
    fill_weights,
    noise_picture,
    relative_error,
)
from tests.support.tiled_step import TiledStep, edged_step, step_by_blocks
from tests.support.tiny_network import TinyNetwork

LAYERS = ["relu_1", "branches", "third"]
REACH = 80
"""More pixels than a unit of any of these layers sees."""
SIDES = st.integers(1, 60)
SHIFTS = st.tuples(st.integers(0, 23), st.integers(0, 23))
EDGES: st.SearchStrategy[Edges] = st.sampled_from(["mirror", "wrap", "wrap-x", "wrap-y"])
PLAIN = Dream(smooth=None, palette="free", jitter=13)


@pytest.fixture(scope="module")
def tiny() -> nn.Module:
    model = TinyNetwork().eval()
    fill_weights(model, seed=1)
    calibrate_norms(model, seed=1)
    return model


@settings(max_examples=25)
@example("third", (1, 1), 1, 1, "mirror", (5, 3), None)
@example("branches", (9, 200), 60, 3, "wrap", (5, 3), Smooth(gaussian=(1.0,)))
@example("third", (24, 36), 12, 4, "wrap", (0, 11), Smooth(laplacian=(1.0, 1.0, 0.5)))
@given(
    st.sampled_from(LAYERS),
    st.tuples(SIDES, SIDES),
    st.integers(8, 64),
    st.integers(1, 5),
    EDGES,
    SHIFTS,
    st.sampled_from([None, Smooth(laplacian=(1.0, 0.5))]),
)
def test_tiles_equal_the_whole(
    tiny: nn.Module,
    layer: str,
    size: Size,
    tile: int,
    members: int,
    edges: Edges,
    shift: Shift,
    smooth: Smooth | None,
) -> None:
    """Also where a window shows the picture several times."""
    step = edged_step(tiny, Mix((Objective(layer),)), Dream(smooth=smooth, edges=edges, jitter=13))
    canvas, span = noise_picture(size, seed=tile), step.sampling_grid.span
    shift = shift[0] % span, shift[1] % span
    whole = step.picture_gradients(canvas, shift)
    found = step_by_blocks(step, canvas, Grid(*size, tile), members, shift)
    for one, wanted in zip(found, whole, strict=True):
        assert relative_error(one, wanted) <= 1e-12


def stride_of(step: TiledStep) -> int:
    return step.sampling_grid.stride


def torus_gradient(step: TiledStep, canvas: Tensor, shift: Shift) -> Tensor:
    """The gradient of one copy's units by a pixel and all its copies, from a picture repeated."""
    height, width, _ = canvas.shape
    copies = 2 * (REACH // min(height, width)) + 3
    pixels = canvas.permute(2, 0, 1)[None].clone().requires_grad_()
    plane = torch.roll(pixels.repeat(1, 1, copies, copies), shift, (2, 3))
    (objective,) = step.mix.terms
    activations = step.network.activations(plane)[objective.target_layer]
    rows, columns = height // stride_of(step), width // stride_of(step)
    down, across = copies // 2 * rows, copies // 2 * columns
    units = activations[..., down : down + rows, across : across + columns]
    (gradient,) = torch.autograd.grad(units.square().sum() / 2, pixels)
    return gradient[0].permute(1, 2, 0)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("size", [(24, 36), (48, 12)])
@pytest.mark.parametrize("shift", [(0, 0), (5, 21)])
def test_a_torus_has_the_gradient_of_its_own_units(
    tiny: nn.Module, layer: str, size: Size, shift: Shift
) -> None:
    """Its sides are multiples of the stride, so the units repeat with the picture."""
    step = edged_step(tiny, Mix((Objective(layer),)), replace(PLAIN, edges="wrap"))
    canvas = noise_picture(size)
    (found,) = step.picture_gradients(canvas, shift)
    assert relative_error(found, torus_gradient(step, canvas, shift)) <= 1e-12


def mirrored_gradient(step: TiledStep, canvas: Tensor, shift: Shift) -> Tensor:
    """The gradient of the units of all copies by the pixels of the middle one."""
    height, width, _ = canvas.shape
    copies = 4 * (REACH // (2 * min(height, width))) + 5
    plane = torch.cat([canvas.flip(0) if n % 2 else canvas for n in range(copies)], 0)
    plane = torch.cat([plane.flip(1) if n % 2 else plane for n in range(copies)], 1)
    top, left = copies // 2 * height, copies // 2 * width
    drop_top, drop_left = (top - shift[0]) % stride_of(step), (left - shift[1]) % stride_of(step)
    pixels = plane[drop_top:, drop_left:].permute(2, 0, 1)[None].requires_grad_()
    (objective,) = step.mix.terms
    activations = step.network.activations(pixels)[objective.target_layer]
    (gradient,) = torch.autograd.grad(activations.square().sum() / 2, pixels)
    rows = gradient[0].permute(1, 2, 0)[top - drop_top :][:height]
    return rows[:, left - drop_left :][:, :width]


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("size", [(25, 40), (7, 61)])
@pytest.mark.parametrize("shift", [(0, 0), (5, 21)])
def test_in_a_mirror_one_copy_moves_and_the_others_are_context(
    tiny: nn.Module, layer: str, size: Size, shift: Shift
) -> None:
    step = edged_step(tiny, Mix((Objective(layer),)), replace(PLAIN, edges="mirror"))
    canvas = noise_picture(size)
    (found,) = step.picture_gradients(canvas, shift)
    assert relative_error(found, mirrored_gradient(step, canvas, shift)) <= 1e-12


@pytest.mark.parametrize("at", [(0.0, 0.5), (0.98, 0.03), (0.4, 0.6)])
@pytest.mark.parametrize("edges", ["wrap", "mirror"])
def test_a_neuron_is_seen_round_the_edge(
    tiny: nn.Module, at: tuple[float, float], edges: Edges
) -> None:
    """Copies of it change the pixels that they see, alike in the whole picture and in tiles."""
    size, shift = (48, 60), (3, 8)
    mix = Mix((Objective("third", (2,), at=(at,)),))
    step = edged_step(tiny, mix, replace(PLAIN, edges=edges))
    canvas = noise_picture(size)
    (whole,) = step.picture_gradients(canvas, shift)
    (found,) = step_by_blocks(step, canvas, Grid(*size, 20), 3, shift)
    assert relative_error(found, whole) <= 1e-12
    # The field of 55 pixels is wider than the picture is high, and it reaches round every edge.
    assert bool((whole != 0).any(2)[[0, -1]].any())
    assert bool((whole != 0).any(2)[:, [0, -1]].any())


def test_a_neuron_of_a_torus_moves_with_it(tiny: nn.Module) -> None:
    """By whole strides, from a position that is a pixel: the gradient is shifted, bit for bit."""
    size, side = (48, 60), 59
    canvas = noise_picture(size)
    found = []
    for column, moved in ((10, canvas), (46, torch.roll(canvas, 36, 1)), (22, canvas.roll(72, 1))):
        mix = Mix((Objective("third", (2,), at=((column / side, 0.0),)),))
        step = edged_step(tiny, mix, replace(PLAIN, edges="wrap"))
        (gradient,) = step.picture_gradients(moved, (3, 8))
        found.append(gradient.roll(10 - column, 1))
    assert found[0].any()
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])
