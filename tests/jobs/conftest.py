"""A small network's weights, a small picture, and a cache of their own for the tests of jobs."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from cluster.ray_session import local_ray
from tests.support.memory_store import MemoryStore
from tests.support.seeded_networks import save_seeded_weights
from tests.support.small_poster import HEIGHT, NETWORK, WIDTH

if TYPE_CHECKING:
    from cluster.ray_crew import RayCrew


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is found out about networks is remembered for these tests, and only for them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seeded weights of the small network."""
    path = tmp_path_factory.mktemp("weights") / "seeded.safetensors"
    return save_seeded_weights(NETWORK, ("features.4",), path)


@pytest.fixture(scope="session")
def mask(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A grey picture that is black above and white below."""
    path = tmp_path_factory.mktemp("masks") / "below.png"
    rows = np.linspace(-255, 511, 23).clip(0, 255).astype(np.uint8)
    Image.fromarray(np.repeat(rows[:, None], 31, axis=1)).save(path)
    return path


@pytest.fixture(scope="session")
def guide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another small picture."""
    path = tmp_path_factory.mktemp("guides") / "guide.png"
    samples = np.random.default_rng(9).integers(0, 256, (40, 60, 3), np.uint8)
    Image.fromarray(samples).save(path)
    return path


@pytest.fixture(scope="session")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small picture in which nothing ties."""
    path = tmp_path_factory.mktemp("pictures") / "sky.png"
    samples = np.random.default_rng(5).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    Image.fromarray(samples).save(path)
    return path


@pytest.fixture
def store() -> MemoryStore:
    """An empty store in memory."""
    return MemoryStore()


@pytest.fixture(scope="module")
def ray_crew() -> Iterator["type[RayCrew]"]:
    """Crews of two on a Ray of this module's own."""
    with local_ray(cpus=2, object_store_bytes=100 << 20) as crew:
        yield crew
