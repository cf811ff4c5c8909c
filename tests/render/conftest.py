"""Weights files for the engine's tests, and the one thread that a worker has."""

from pathlib import Path

import pytest
import torch
from torch import nn

from render.networks.weights import load_with_weights
from tests.support.seeded_networks import save_seeded_weights


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Two threads spin while they wait for each other on a machine that others use as well."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def seeded_squeezenet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SqueezeNet with seeded weights as far as `features.12`."""
    path = tmp_path_factory.mktemp("weights") / "squeezenet.safetensors"
    return save_seeded_weights("squeezenet1_0", ("features.12",), path)


@pytest.fixture(scope="session")
def squeezenet_weights(request: pytest.FixtureRequest, seeded_squeezenet: Path) -> Path:
    """SqueezeNet's real weights where they are at hand, else the seeded ones."""
    try:
        shared: Path = request.getfixturevalue("shared")
    except pytest.skip.Exception:
        return seeded_squeezenet
    return shared / "weights" / "squeezenet1_0-imagenet.safetensors"


@pytest.fixture(scope="session")
def squeezenet(squeezenet_weights: Path) -> nn.Module:
    """SqueezeNet on the CPU in float32, to be copied before it is changed."""
    return load_with_weights("squeezenet1_0", squeezenet_weights)
