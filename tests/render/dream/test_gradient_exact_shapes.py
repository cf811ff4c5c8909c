"""For every picture size, tile size, partition and jitter tiles equal the whole picture."""

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import nn

from render.geometry.grid import Grid
from render.geometry.sampling_grid import jitter_shift
from tests.support.seeded_networks import (
    calibrate_norms,
    fill_weights,
    noise_picture,
    relative_error,
)
from tests.support.tiled_step import TiledStep, mean_step, step_by_blocks
from tests.support.tiny_network import TinyNetwork

LAYERS = ["relu_1", "branches", "branches.dilated", "third"]
SIDES = st.one_of(st.integers(1, 90), st.sampled_from([1, 2, 13, 53, 97, 101]))
JITTERS = st.sampled_from([0, 1, 5, 12, 13, 32])
MOST_TILES = 24


@pytest.fixture(scope="module")
def tiny() -> nn.Module:
    model = TinyNetwork().eval()
    fill_weights(model, seed=1)
    calibrate_norms(model, seed=1)
    return model


def check(step: TiledStep, size: tuple[int, int], tile: int, members: int, seed: int) -> None:
    largest = max(size)
    while -(-size[0] // tile) * -(-size[1] // tile) > MOST_TILES:
        tile = min(tile * 2, largest)
    canvas = noise_picture(size, seed)
    shift = jitter_shift(seed, 0, 0, step.sampling_grid.span)
    (whole,) = step.picture_gradients(canvas, shift)
    (found,) = step_by_blocks(step, canvas, Grid(*size, tile), members, shift)
    assert relative_error(found, whole) <= 1e-12


@settings(max_examples=60)
@example("third", (1, 1), 1, 1, 0, 0)
@example("third", (17, 2000), 150, 3, 13, 1)
@example("branches", (2000, 17), 100, 5, 32, 2)
@example("third", (97, 101), 53, 4, 1, 3)
@example("third", (5, 40), 3, 2, 5, 4)
@given(
    st.sampled_from(LAYERS),
    st.tuples(SIDES, SIDES),
    st.integers(1, 64),
    st.integers(1, 6),
    JITTERS,
    st.integers(0, 2**31),
)
def test_tiles_equal_the_whole(
    tiny: nn.Module,
    layer: str,
    size: tuple[int, int],
    tile: int,
    members: int,
    jitter: int,
    seed: int,
) -> None:
    check(mean_step(tiny, (layer,), jitter), size, tile, members, seed)


@pytest.mark.parametrize(
    ("layer", "size", "tile", "members", "jitter"),
    [
        ("features.4", (1, 1), 8, 1, 0),
        ("features.4", (17, 211), 40, 3, 1),
        ("features.5", (97, 53), 31, 4, 5),
        ("features.5", (20, 20), 7, 2, 13),
        ("features.6", (61, 89), 32, 3, 0),
        ("features.7", (131, 60), 64, 2, 8),
        ("features.7", (40, 300), 100, 2, 13),
        ("features.8", (83, 149), 75, 2, 32),
        ("features.9", (150, 101), 96, 2, 32),
        ("features.9", (30, 260), 130, 2, 40),
    ],
)
def test_tiles_equal_the_whole_on_squeezenet(
    squeezenet: nn.Module,
    layer: str,
    size: tuple[int, int],
    tile: int,
    members: int,
    jitter: int,
) -> None:
    check(mean_step(squeezenet, (layer,), jitter), size, tile, members, seed=len(layer) + jitter)


@settings(max_examples=30)
@example((1, 1), 0, 0)
@example((89, 1), 13, 3)
@given(st.tuples(SIDES, SIDES), JITTERS, st.integers(0, 2**31))
def test_every_pixel_lies_in_some_units_field(
    positive: nn.Module, size: tuple[int, int], jitter: int, seed: int
) -> None:
    """With positive weights and average pools, only pixels outside all fields have no gradient."""
    step = mean_step(positive, ("third",), jitter)
    canvas = torch.ones(*size, 3, dtype=torch.float64)
    (gradient,) = step.picture_gradients(canvas, jitter_shift(seed, 0, 0, step.sampling_grid.span))
    assert bool((gradient > 0).all())


@pytest.fixture(scope="module")
def positive() -> nn.Module:
    model = TinyNetwork().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(0.1)
    model.ceil_pool = nn.AvgPool2d(3, stride=2, ceil_mode=True)  # type: ignore[assignment]
    model.floor_pool = nn.AvgPool2d(3, stride=1)  # type: ignore[assignment]
    return model


def test_a_dead_layer_has_no_gradient_and_no_error() -> None:
    model = TinyNetwork().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(-1.0)
    step = mean_step(model, ("relu_1",), 5)
    (whole,) = step.picture_gradients(noise_picture((40, 50)).abs(), (3, 1))
    assert not whole.any()
