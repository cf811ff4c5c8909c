"""Dreaming a batch needs the estimated memory, and not much less."""

import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from render.determinism import make_deterministic
from render.dream.config import Dream
from render.dream.objective import Objective
from render.dream.octaves import octave_sizes
from render.engine.cost_model import _CostCounter, window_cost
from render.engine.in_memory_batch import dream_in_passes
from render.engine.memory import BatchMemory, Cost, batch_memory
from render.engine.setup import InMemorySetup
from render.geometry.rect import Size
from render.networks.catalogue import build_network
from render.networks.network import load_network
from render.networks.receptive_field import layer_grid
from tests.support.shard_crew import tiled
from tests.support.tiny_network import DREAM, MIX, SIZE, random_samples

NAME = "squeezenet1_0"


@pytest.fixture(scope="module", autouse=True)
def _repeatable() -> None:
    make_deterministic()


@pytest.fixture(scope="module")
def taken(squeezenet_weights: Path) -> Callable[[Size, int, int, int], tuple[int, BatchMemory]]:
    """Dreams a batch, stacked by force as a GPU would; returns the peak in bytes as counted, of
    tensors, arrays and weights, and as estimated.
    """
    mix = Objective("features.1") + Objective("features.1", channels=(0, 3))
    grid = layer_grid(build_network(NAME), NAME, mix.layers)
    network = load_network(NAME, squeezenet_weights, mix.layers)
    cost = window_cost(build_network(NAME), mix, torch.float32, grid)

    def count(
        source: Size, steps: int, windows_per_pass: int, tile: int
    ) -> tuple[int, BatchMemory]:
        dream = Dream(octaves=2, octave_scale=1.05, steps=steps, jitter=8)
        sizes = octave_sizes((130, 120), dream)
        stride, field = grid.stride, grid.field
        setup = InMemorySetup(
            mix, dream, "float32", "cpu", tiled(sizes, tile), stride, field, batch=windows_per_pass
        )
        pictures = [random_samples(source, seed) for seed in range(windows_per_pass)]
        with _CostCounter() as counter:
            dreamed = dream_in_passes(
                network, setup, pictures, list(range(windows_per_pass)), windows_per_pass
            )
        assert len(dreamed) == windows_per_pass
        samples = sum(one.nbytes for one in pictures)
        estimated = batch_memory(replace(setup, device="cuda"), source, 8, cost)
        return counter.peak + samples + cost.weights, estimated

    return count


@pytest.mark.parametrize("windows_per_pass", [1, 3])
def test_steps_need_no_more_than_estimated(
    taken: Callable[[Size, int, int, int], tuple[int, BatchMemory]], windows_per_pass: int
) -> None:
    peak, estimated = taken((130, 120), 1, windows_per_pass, 64)
    assert 0.7 < peak / (estimated.stored + estimated.transient) <= 1


def test_reading_needs_no_more_than_estimated(
    taken: Callable[[Size, int, int, int], tuple[int, BatchMemory]],
) -> None:
    tracemalloc.start()  # numpy tells it what its arrays take
    try:
        peak, estimated = taken((600, 500), 0, 1, 256)
        _, arrays = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # One after the other: a tile is read into arrays, and then resampled as tensors.
    assert 0.7 < max(peak, arrays) / (estimated.stored + estimated.transient) <= 1


def test_the_stored_bytes_of_a_batch() -> None:
    sizes = octave_sizes(SIZE, DREAM)
    setup = InMemorySetup(MIX, DREAM, "float32", "cpu", tiled(sizes, 32), stride=4, field=23)

    def stored(changed: InMemorySetup) -> int:
        return batch_memory(changed, (50, 60), 16, Cost(1e6, 500, 1000, 3_000_000)).stored

    samples, canvas = 50 * 60 * 3 * 2, SIZE[0] * SIZE[1] * 3 * 4
    two = replace(setup, batch=2)
    term = replace(setup, mix=MIX + Objective("relu"))

    assert stored(two) - stored(setup) == samples + canvas
    assert stored(term) - stored(setup) == canvas
    stacked = replace(two, device="cuda")
    assert stored(stacked) - stored(two) == canvas * (2 + len(MIX))
    assert stored(replace(setup, precision="float64")) == 2 * stored(setup) - samples
