"""The default parameters change a picture visibly, without a grid and without burnt-out pixels."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from render.determinism import make_deterministic
from render.dream.attachments import prepare_objectives
from render.dream.config import Dream
from render.dream.objective import Mix
from render.dream.octaves import octave_sizes
from render.engine.in_memory_batch import dream_batch
from render.engine.network_profile import default_objective
from render.engine.setup import InMemorySetup
from render.networks.catalogue import build_network
from render.networks.network import load_network
from render.networks.receptive_field import layer_grid
from render.networks.weight_paths import resolve_weights
from render.pictures.colour import to_samples
from tests.support.shard_crew import tiled

pytestmark = [pytest.mark.shared, pytest.mark.timeout(600)]

SIZE = (240, 448)
"""Multiples of every stride, so that the stride's frequencies are whole bins."""

NETWORKS = ("squeezenet1_0", "pareidolia")


@pytest.fixture(scope="module", params=NETWORKS)
def network(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def looked_at(samples: np.ndarray, shared: Path, name: str, dream: Dream) -> tuple[np.ndarray, int]:
    """A dream of a picture at SIZE, (h, w, 3) from 0 to 255, and the network's stride."""
    mix = Mix((default_objective(name),))
    real = shared / "weights" / "squeezenet1_0-imagenet.safetensors"
    weights = real if name == "squeezenet1_0" else resolve_weights(name, None)
    make_deterministic()
    grid = layer_grid(build_network(name), name, mix.layers)
    network = prepare_objectives(load_network(name, weights, mix.layers), mix, {})
    sizes = octave_sizes(SIZE, dream)
    setup = InMemorySetup(
        mix, dream, "float32", "cpu", tiled(sizes, max(SIZE)), grid.stride, grid.field
    )
    (found,) = dream_batch(network, setup, [samples], [0])
    assert isinstance(found, torch.Tensor)
    return to_samples(found, 8).astype(float), grid.stride


@pytest.fixture(scope="module")
def dreams(shared: Path, network: str) -> tuple[np.ndarray, np.ndarray, int]:
    """`sky.jpg` as it is and as it is dreamed by default, and the network's stride."""
    samples = np.asarray(Image.open(shared / "images" / "sky.jpg").convert("RGB"))
    plain, _ = looked_at(samples, shared, network, Dream(steps=0))
    dreamed, stride = looked_at(samples, shared, network, Dream())
    return plain, dreamed, stride


def test_it_changes_the_picture(dreams: tuple[np.ndarray, np.ndarray, int]) -> None:
    plain, dreamed, _ = dreams
    assert np.abs(dreamed - plain).mean() >= 12


def test_it_burns_nothing_out(dreams: tuple[np.ndarray, np.ndarray, int]) -> None:
    plain, dreamed, _ = dreams
    crushed = ((dreamed == 0) & (plain > 0)) | ((dreamed == 255) & (plain < 255))
    assert crushed.mean() <= 0.02


@pytest.mark.parametrize("axis", [0, 1])
def test_it_has_no_grid(dreams: tuple[np.ndarray, np.ndarray, int], axis: int) -> None:
    plain, dreamed, stride = dreams
    ratios = grid_ratios(dreamed - plain, stride, axis)
    assert max(ratios) <= 1.5


def test_a_grid_would_be_seen() -> None:
    """The measure finds a grid that is too faint to see."""
    change = np.random.default_rng(0).normal(0, 12, (*SIZE, 3))
    assert max(grid_ratios(change, 8, axis=1)) <= 1.5
    change[:, ::8] += 6
    assert max(grid_ratios(change, 8, axis=1)) > 1.5


def grid_ratios(change: np.ndarray, stride: int, axis: int) -> list[float]:
    """The energy at each of the stride's frequencies along an axis, divided by that around it."""
    length = change.shape[axis]
    shape = [1, 1, 1]
    shape[axis] = length
    windowed = change * np.hanning(length).reshape(shape)
    energy = (np.abs(np.fft.fft(windowed, axis=axis)) ** 2).sum(tuple({0, 1, 2} - {axis}))
    ratios = []
    for wave in range(1, stride // 2 + 1):
        middle = wave * length // stride
        # The window spreads a line over three bins.
        around = [middle + off for off in (-5, -4, -3, 3, 4, 5)]
        here = energy[[middle - 1, middle, (middle + 1) % length]].mean()
        ratios.append(float(here / energy[[place % length for place in around]].mean()))
    return ratios
