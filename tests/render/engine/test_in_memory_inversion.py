"""A class dreamed from noise is recognised as that class by the network itself."""

from pathlib import Path

import numpy as np
import pytest
import torch

from render.determinism import make_deterministic
from render.dream.attachments import prepare_objectives
from render.dream.config import Dream
from render.dream.objective import Mix, Objective
from render.dream.octaves import octave_sizes
from render.engine.in_memory_batch import dream_batch
from render.engine.setup import InMemorySetup
from render.geometry.rect import Size
from render.networks.catalogue import build_network
from render.networks.classes import class_names
from render.networks.network import load_network
from render.networks.receptive_field import layer_grid
from render.networks.weight_paths import resolve_weights
from render.networks.weights import load_with_weights
from render.pictures.colour import to_canvas, to_samples
from render.pictures.generated import Noise
from tests.support.shard_crew import tiled

SIZE = (224, 224)
DREAM = Dream(octaves=3, steps=24, step_size=0.02)

SEARCH_SIZE = (112, 112)
SEARCH = Dream(ascent="search", octaves=1, steps=180, step_size=0.05, jitter=0)


def first_of(
    name: str, weights: Path, numbers: list[int], dream: Dream = DREAM, size: Size = SIZE
) -> list[int]:
    """The network's first guess for the dream of each class, rounded to 8 bits."""
    make_deterministic()
    judge = load_with_weights(name, weights).eval()
    first = Mix((Objective(classes=(0,)),))
    grid = layer_grid(build_network(name), name, first.layers)
    network = prepare_objectives(load_network(name, weights, first.layers), first, {})
    sizes = octave_sizes(size, dream)
    (noise,) = Noise(*size, 0).bands(size[0])
    seen = []
    for number in numbers:
        mix = Mix((Objective(classes=(number,)),))
        setup = InMemorySetup(
            mix, dream, "float32", "cpu", tiled(sizes, size[0]), grid.stride, grid.field
        )
        (dreamed,) = dream_batch(network, setup, [noise], [0])
        assert isinstance(dreamed, torch.Tensor)
        picture = to_canvas(to_samples(dreamed, 8), torch.float32).permute(2, 0, 1)[None]
        with torch.no_grad():
            seen.append(int(judge(picture).argmax()))
    return seen


@pytest.mark.shared
@pytest.mark.parametrize(
    ("count", "wanted"),
    [(3, 2), pytest.param(100, 90, marks=[pytest.mark.slow, pytest.mark.timeout(3000)])],
)
def test_squeezenet_recognises_its_classes(shared: Path, count: int, wanted: int) -> None:
    weights = shared / "weights" / "squeezenet1_0-imagenet.safetensors"
    numbers = np.random.default_rng(2015).permutation(1000)[:count].tolist()
    seen = first_of("squeezenet1_0", weights, numbers)
    assert sum(one == number for one, number in zip(seen, numbers, strict=True)) >= wanted


@pytest.mark.parametrize(
    "every", [28, pytest.param(1, marks=[pytest.mark.slow, pytest.mark.timeout(3000)])]
)
def test_pareidolia_recognises_its_classes(every: int) -> None:
    numbers = list(range(0, len(class_names("pareidolia")), every))
    seen = first_of("pareidolia", resolve_weights("pareidolia", None), numbers)
    right = sum(one == number for one, number in zip(seen, numbers, strict=True))
    assert right >= 0.95 * len(numbers) - (every > 1)


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_pareidolia_recognises_what_a_search_found() -> None:
    numbers = list(range(0, 80, 4))
    seen = first_of("pareidolia", resolve_weights("pareidolia", None), numbers, SEARCH, SEARCH_SIZE)
    assert sum(one == number for one, number in zip(seen, numbers, strict=True)) >= 15
