"""The reference is plain DeepDream, and both engines compute it tile by tile."""

from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from render.dream.config import STEADY, Dream, Smooth
from render.dream.objective import Mix, Objective
from render.dream.octaves import octave_sizes
from render.dream.reference import dream_reference
from render.engine.in_memory_batch import dream_batch
from render.engine.setup import InMemorySetup, ShardSetup
from render.geometry.rect import Size
from render.networks.network import Network, prepare_network
from render.networks.receptive_field import LayerGrid, layer_grid
from render.pictures.colour import BLACK, WHITE, to_canvas
from tests.support.seeded_networks import calibrate_norms, fill_weights, relative_error
from tests.support.shard_crew import render_dream, tiled, write_input
from tests.support.tiny_network import DREAM, MIX, TinyNetwork, random_samples

SOURCE = (50, 61)
SIZE = (75, 92)

PLAIN = Dream(
    octaves=1,
    steps=4,
    step_size=0.05,
    jitter=0,
    schedule=STEADY,
    smooth=None,
    palette="free",
    limit="hard",
)


def prepared(model: nn.Module, mix: Mix) -> tuple[Network, LayerGrid]:
    """The network in float64, and the grid of the mix's layers."""
    grid = layer_grid(deepcopy(model), "tiny", mix.layers)
    return prepare_network(model, mix.layers, torch.float64), grid


def reference(model: nn.Module, mix: Mix, dream: Dream, samples: np.ndarray, size: Size) -> Tensor:
    network, grid = prepared(model, mix)
    picture = to_canvas(samples, torch.float64)
    source = (samples.shape[0], samples.shape[1])
    return dream_reference(
        network, grid, mix, dream, lambda rect: picture[rect.slices()], source, size
    )


def test_without_tiles_jitter_and_octaves_it_is_gradient_ascent() -> None:
    """Written again from the paper, without any code of the package but its colours."""
    model = nn.Sequential(nn.Conv2d(3, 5, 3, padding=1), nn.ReLU(), nn.Conv2d(5, 4, 5, padding=2))
    fill_weights(model, seed=1)
    samples = random_samples(SOURCE, 0)
    canvas = to_canvas(samples, torch.float64).permute(2, 0, 1)[None]
    black, white = (torch.tensor(one, dtype=torch.float64)[:, None, None] for one in (BLACK, WHITE))
    found = reference(deepcopy(model), Mix((Objective("2"),)), PLAIN, samples, SOURCE)

    model.double()
    for _ in range(PLAIN.steps):
        canvas.requires_grad_()
        (gradient,) = torch.autograd.grad(model(canvas).square().sum() / 2, canvas)
        step = PLAIN.step_size * gradient / gradient.abs().mean()
        canvas = (canvas.detach() + step).clamp(black, white)

    assert relative_error(found, canvas[0].permute(1, 2, 0)) <= 1e-12


@pytest.fixture(scope="module")
def tiny() -> nn.Module:
    model = TinyNetwork().eval()
    fill_weights(model, seed=1)
    calibrate_norms(model, seed=1)
    return model


@pytest.mark.parametrize(
    "smooth", [None, Smooth(laplacian=(1.0, 1.0, 0.5))], ids=["plain", "bands"]
)
@pytest.mark.parametrize("tile", [24, 40, 200])
def test_both_engines_compute_it_in_tiles_of_any_size(
    tiny: nn.Module,
    tile: int,
    smooth: Smooth | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dream = replace(DREAM, smooth=smooth)
    samples = random_samples(SOURCE, 0)
    wanted = reference(deepcopy(tiny), MIX, dream, samples, SIZE)
    network, grid = prepared(deepcopy(tiny), MIX)
    setup = InMemorySetup(
        mix=MIX,
        dream=dream,
        precision="float64",
        device="cpu",
        grids=tiled(octave_sizes(SIZE, dream), tile),
        stride=grid.stride,
        field=grid.field,
    )
    (in_memory,) = dream_batch(network, setup, [samples], [dream.seed])

    # A shard loads networks by name and file, and the tiny one has neither.
    monkeypatch.setattr("render.engine.shard.load_network", lambda *_: network)
    shared = {name: getattr(setup, name) for name in setup.__dataclass_fields__ if name != "batch"}
    picture = write_input(samples, tmp_path)
    shards = ShardSetup(**shared, network="tiny", weights=tmp_path, input=picture)

    assert isinstance(in_memory, Tensor)
    assert relative_error(in_memory, wanted) <= 1e-10
    assert np.array_equal(render_dream(shards, tmp_path, members=2), in_memory.numpy())
