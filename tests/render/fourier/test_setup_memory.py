"""A feature picture needs the estimated memory, and not much less."""

from pathlib import Path

import pytest
import torch

from render.determinism import make_deterministic
from render.dream.objective import Mix, Objective
from render.engine.cost_model import _CostCounter, window_cost
from render.fourier.feature import dream_feature
from render.fourier.setup import FeatureSetup, Fourier, feature_memory
from render.networks.catalogue import build_network
from render.networks.network import load_network
from render.networks.receptive_field import layer_grid

NAME = "squeezenet1_0"


@pytest.mark.parametrize("layers", [("features.0",), ("features.3", "features.1")])
def test_a_step_needs_no_more_than_estimated(
    layers: tuple[str, ...], squeezenet_weights: Path
) -> None:
    make_deterministic()
    mix = Mix(tuple(map(Objective, layers)))
    grid = layer_grid(build_network(NAME), NAME, layers)
    network = load_network(NAME, squeezenet_weights, layers)
    cost = window_cost(build_network(NAME), mix, torch.float32, grid)
    setup = FeatureSetup(mix, Fourier(4), "float32", "cpu", (160, 128), grid.stride, grid.field)
    with _CostCounter() as counter:
        dream_feature(network, setup, 0)
    estimated = feature_memory(setup, cost)

    # None of the four views is the largest possible one.
    assert 0.6 < (counter.peak + cost.weights) / (estimated.stored + estimated.transient) <= 1
