"""The pixels of this version of the code."""

import hashlib
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from render.dream.config import Dream
from render.dream.objective import Objective
from render.dream.octaves import octave_sizes
from render.engine.setup import ShardSetup
from render.networks.catalogue import build_network
from render.networks.receptive_field import layer_grid
from render.pictures.colour import to_samples
from render.version import PIXEL_VERSION
from tests.support.shard_crew import render_dream, tiled, write_input

NAME = "squeezenet1_0"
SIZE = (75, 110)
GOLDEN = (4, "c2d0bc3a6718df02a8d09bf4a088a2d6b3d7e582d76a7c9db01a09f8ad3b54c9")


def weights(path: Path) -> Path:
    """Weights from numpy's legacy generator, whose numbers no version changes."""
    generator = np.random.RandomState(0)
    tensors = {}
    for name, empty in build_network(NAME).state_dict().items():
        spread = np.sqrt(2 / np.prod(empty.shape[1:])) if empty.dim() > 1 else 0.1
        tensors[name] = torch.from_numpy(generator.standard_normal(empty.shape) * spread).float()
    save_file(tensors, path)
    return path


def test_pixels_change_with_their_version_only(tmp_path: Path) -> None:
    """If this fails, the code gives other pixels: raise PIXEL_VERSION, and take the new hash.

    In float64 and rounded to 8 bits, so that the CPU's instructions do not matter.
    """
    samples = np.random.RandomState(1).randint(0, 256, (60, 88, 3)).astype(np.uint8)
    mix = Objective("features.5") + Objective("features.3", channels=(0, 7)) * -0.3
    dream = Dream(octaves=2, steps=3, step_size=0.08, jitter=10, seed=5)
    grid = layer_grid(build_network(NAME), NAME, mix.layers)
    setup = ShardSetup(
        network=NAME,
        weights=weights(tmp_path / "golden.safetensors"),
        mix=mix,
        dream=dream,
        precision="float64",
        device="cpu",
        input=write_input(samples, tmp_path),
        grids=tiled(octave_sizes(SIZE, dream), 48),
        stride=grid.stride,
        field=grid.field,
    )
    pixels = to_samples(torch.from_numpy(render_dream(setup, tmp_path, members=2)), 8)
    assert pixels.std() > 30
    assert (PIXEL_VERSION, hashlib.sha256(pixels.tobytes()).hexdigest()) == GOLDEN
