"""What studies take in memory is what was foreseen, and hardly less."""

import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from render.determinism import make_repeatable
from render.dream.config import Dream
from render.dream.objective import Objective
from render.dream.octaves import octave_sizes
from render.engine.cost_model import _Tally, window_cost
from render.engine.in_memory_batch import dreamed_in_slots
from render.engine.memory import Cost, StudyMemory, study_memory
from render.engine.setup import StudyRecipe
from render.geometry.rect import Size
from render.networks.catalogue import build
from render.networks.network import load_network
from render.networks.receptive_field import layer_grid
from tests.render.studies import DREAM, MIX, SIZE, picture

NAME = "squeezenet1_0"


@pytest.fixture(scope="module", autouse=True)
def _repeatable() -> None:
    make_repeatable()


@pytest.fixture(scope="module")
def taken(squeezenet_weights: Path) -> Callable[[Size, int, int, int], tuple[int, StudyMemory]]:
    """Dreams a batch, stacked by force as a GPU would; returns the peak in bytes as counted, of
    tensors, arrays and weights, and as foreseen.
    """
    mix = Objective("features.1") + Objective("features.1", channels=(0, 3))
    grid = layer_grid(build(NAME), NAME, mix.layers)
    network = load_network(NAME, squeezenet_weights, mix.layers)
    cost = window_cost(NAME, mix, torch.float32, grid)

    def count(source: Size, steps: int, slots: int, tile: int) -> tuple[int, StudyMemory]:
        dream = Dream(octaves=2, octave_scale=1.05, steps=steps, jitter=8)
        sizes = octave_sizes((130, 120), dream)
        stride, field = grid.stride, grid.field
        recipe = StudyRecipe(mix, dream, "float32", "cpu", sizes, tile, stride, field, slots)
        pictures = [picture(source, seed) for seed in range(slots)]
        with _Tally() as tally:
            dreamed = dreamed_in_slots(network, recipe, pictures, list(range(slots)), slots)
        assert len(dreamed) == slots
        samples = sum(one.nbytes for one in pictures)
        foreseen = study_memory(replace(recipe, device="cuda"), source, 8, cost)
        return tally.peak + samples + cost.weights, foreseen

    return count


@pytest.mark.parametrize("slots", [1, 3])
def test_steps_take_no_more_than_was_foreseen(
    taken: Callable[[Size, int, int, int], tuple[int, StudyMemory]], slots: int
) -> None:
    peak, foreseen = taken((130, 120), 1, slots, 64)
    assert 0.7 < peak / (foreseen.held + foreseen.passing) <= 1


def test_neither_does_reading(
    taken: Callable[[Size, int, int, int], tuple[int, StudyMemory]],
) -> None:
    tracemalloc.start()  # numpy tells it what its arrays take
    try:
        peak, foreseen = taken((600, 500), 0, 1, 256)
        _, arrays = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # They take turns: a tile is read into arrays, and then resampled as tensors.
    assert 0.7 < max(peak, arrays) / (foreseen.held + foreseen.passing) <= 1


def test_what_a_batch_holds() -> None:
    recipe = StudyRecipe(MIX, DREAM, "float32", "cpu", octave_sizes(SIZE, DREAM), 32, 4, 23, 1)

    def held(changed: StudyRecipe) -> int:
        return study_memory(changed, (50, 60), 16, Cost(1e6, 500, 1000, 3_000_000)).held

    samples, canvas = 50 * 60 * 3 * 2, SIZE[0] * SIZE[1] * 3 * 4
    two = replace(recipe, batch=2)
    term = replace(recipe, mix=MIX + Objective("relu"))

    assert held(two) - held(recipe) == samples + canvas
    assert held(term) - held(recipe) == canvas
    stacked = replace(two, device="cuda")
    assert held(stacked) - held(two) == canvas * (2 + len(MIX))
    assert held(replace(recipe, precision="float64")) == 2 * held(recipe) - samples
