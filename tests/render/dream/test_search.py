"""`ascent: search`: without a derivative, the picture climbs where the objective does."""

from copy import deepcopy
from dataclasses import replace
from typing import get_args

import pytest
import torch
from torch import Tensor, nn

import render
from render.dream.config import MAX_SEARCH_SIDE, TRIALS, Ascent, Dream, Moment, Smooth
from render.dream.gradient import gradients, objective_value
from render.dream.objective import Mix, Objective
from render.dream.octaves import octave_sizes
from render.dream.reference import dream_reference
from render.dream.search import random_waves, searched_gradients
from render.dream.step import step_at
from render.errors import RenderError
from render.geometry.rect import Rect
from render.geometry.sampling_grid import SamplingGrid
from render.geometry.units import WindowPosition
from render.library import DreamSettings
from render.networks.network import Network, prepare_network
from render.networks.receptive_field import layer_grid
from render.pictures.colour import to_canvas, to_samples
from tests.support.seeded_networks import fill_weights, noise_picture, relative_error
from tests.support.tiny_network import TinyNetwork, random_samples

SIZE = (40, 33)
WHOLE = Rect(0, 0, *SIZE)
POSITION = WindowPosition((0, 0), (0, 0), SIZE, SIZE)
SQUARES, CHANNEL = Objective("third"), Objective("third", channels=(2,), weight=-3)


class Steps(nn.Module):
    """A layer whose gradient is zero everywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.mean = nn.Conv2d(3, 1, 5, padding=2)
        nn.init.constant_(self.mean.weight, 0.1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.round(self.mean(x))


@pytest.fixture(scope="module")
def tiny() -> Network:
    model = TinyNetwork().eval()
    fill_weights(model, seed=1)
    return prepare_network(model, ("third",), torch.float64)


def searched(network: Network, draw: int, picture: Tensor) -> list[Tensor]:
    objectives = (SQUARES, CHANNEL)
    return searched_gradients(network, objectives, picture, WHOLE, POSITION, draw)


def test_the_estimate_is_the_sum_over_the_changes_that_were_tried() -> None:
    """With a linear network the differences are the gradient's products with the changes."""
    model = nn.Sequential(nn.Conv2d(3, 4, 5, padding=2)).eval()
    fill_weights(model, seed=1)
    objective = Objective("0", at=((0.5, 0.5),))
    grid = layer_grid(deepcopy(model), "linear", ("0",))
    network = replace(
        prepare_network(model, ("0",), torch.float64),
        units=dict(zip(("0",), grid.units, strict=True)),
    )
    picture = noise_picture(SIZE)
    (exact,) = gradients(network, (objective,), picture, WHOLE, POSITION)
    (found,) = searched_gradients(network, (objective,), picture, WHOLE, POSITION, 7)
    wanted = torch.zeros_like(picture)
    for trial in range(TRIALS):
        change = random_waves(SIZE, 7, trial)
        wanted += (exact * change).sum() * change / TRIALS
    assert relative_error(found, wanted) < 1e-9
    assert torch.cosine_similarity(found.flatten(), exact.flatten(), 0) > 0


def test_a_draw_gives_the_same_changes_and_another_gives_others(tiny: Network) -> None:
    picture = noise_picture(SIZE) / 4
    first, again, other = (searched(tiny, draw, picture)[0] for draw in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("size", [(112, 112), (20, 90), (1, 7), (2, 2)])
def test_changes_are_smooth_and_of_one_strength(size: tuple[int, int]) -> None:
    waves = random_waves(size, 3, 4)
    assert waves.shape == (*size, 3)
    assert float(waves.square().mean()) == pytest.approx(1)
    if min(size) > 50:
        assert float(waves.diff(dim=0).square().mean()) < 0.1


def test_each_step_of_each_octave_draws_anew() -> None:
    grid = SamplingGrid(1, 1, 0)
    every = [(0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0)]
    draws = {
        step_at(Mix((SQUARES,)), Dream(), grid, Moment(octave, 2, step, 2), seed).draw
        for seed, octave, step in every
    }
    assert len(draws) == len(every)
    assert all(0 <= draw < 2**63 for draw in draws)


@pytest.mark.parametrize("objective", [SQUARES, CHANNEL, Objective("third", at=((0.5, 0.5),))])
def test_the_value_of_an_objective_has_its_gradient(tiny: Network, objective: Objective) -> None:
    model = TinyNetwork().eval()
    fill_weights(model, seed=1)
    grid = layer_grid(deepcopy(model), "tiny", ("third",))
    network = replace(tiny, units=dict(zip(("third",), grid.units, strict=True)))
    picture, change = noise_picture(SIZE), noise_picture(SIZE, 1) * 1e-6
    (gradient,) = gradients(network, (objective,), picture, WHOLE, POSITION)

    def value(pixels: Tensor) -> float:
        activations = network.activations(pixels.permute(2, 0, 1)[None])["third"]
        return float(objective_value(objective, activations, network, (POSITION,)))

    difference = value(picture + change) - value(picture - change)
    assert difference == pytest.approx(float(2 * (gradient * change).sum()), rel=1e-3)


@pytest.mark.parametrize("ascent", get_args(Ascent))
def test_a_search_climbs_where_the_gradient_is_zero(ascent: Ascent) -> None:
    picture = noise_picture((24, 24)) / 4
    grid = layer_grid(Steps().eval(), "steps", ("mean",))
    network = prepare_network(Steps().eval(), ("round",), torch.float64)
    mix = Mix((Objective("round", channels=(0,)),))
    dream = Dream(ascent=ascent, octaves=1, steps=20, palette="free", smooth=None)
    dreamed = dream_reference(
        network, grid, mix, dream, lambda rect: picture[rect.slices()], (24, 24), (24, 24)
    )
    found = network.activations(dreamed.permute(2, 0, 1)[None])["round"].square().mean()
    assert (float(found) > 1) == (ascent == "search")


def test_the_library_gives_the_reference() -> None:
    model = TinyNetwork().eval()
    fill_weights(model, seed=1)
    samples = random_samples(SIZE, 2)
    fields: DreamSettings = {"ascent": "search", "octaves": 2, "steps": 2, "jitter": 5, "seed": 4}
    dream = Dream(**fields)
    found = render.deepdream(samples, deepcopy(model), [Objective("third")], **fields)
    assert found.shape == samples.shape
    assert (found != samples).any()
    grid = layer_grid(deepcopy(model), "tiny", ("third",))
    network = prepare_network(model, ("third",), torch.float32)
    wanted = dream_reference(
        network,
        grid,
        Mix((Objective("third"),)),
        dream,
        lambda rect: to_canvas(samples[rect.slices()], torch.float32),
        SIZE,
        SIZE,
    )
    assert (to_samples(wanted, 8) == found).all()


def test_a_search_ignores_smoothing() -> None:
    smooth = Dream(ascent="search", smooth=Smooth(gaussian=(2,)))
    assert (smooth.margin, smooth.band_factors) == (0, (1.0,))


def test_what_cannot_be_searched_is_refused() -> None:
    with pytest.raises(ValueError, match="ascent: search needs edges: zero"):
        Dream(ascent="search", edges="wrap")
    octave_sizes((MAX_SEARCH_SIDE, MAX_SEARCH_SIDE), Dream(ascent="search"))
    with pytest.raises(RenderError, match="at most 512 x 512 pixels; not 513 x 10"):
        octave_sizes((10, MAX_SEARCH_SIDE + 1), Dream(ascent="search"))
