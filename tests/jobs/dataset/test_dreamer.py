"""Threads that meet at one device: whoever shares a pass has the bytes of who dreams alone."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from jobs.dataset import batcher as dreamer
from jobs.dataset.batcher import Dreamer, Sitting
from jobs.planning.dataset import make_dataset_plan
from jobs.planning.item_plan import study_recipe
from jobs.spec.dataset import DatasetSpec
from jobs.spec.document import any_spec_of
from render.engine.in_memory import Dreamed
from render.engine.in_memory_batch import dreamed_studies
from render.engine.setup import StudyRecipe
from render.networks.network import Network
from render.pictures.tiled_image import Mosaic
from tests.jobs.dataset.small import document
from tests.jobs.small import MACHINE

SLOTS, COUNT = 4, 10


def sittings(folder: Path, weights: Path) -> list[Sitting]:
    """Pictures of two sizes by turns, each with its seed."""
    spec = any_spec_of(document(folder, weights))
    assert isinstance(spec, DatasetSpec)
    manner = make_dataset_plan(spec, MACHINE).manner(0, {})
    draw = np.random.default_rng(6)
    found = []
    for number in range(COUNT):
        size = (64, 64) if number % 2 else (72, 56)
        samples = draw.integers(0, 256, (*size, 3), np.uint8)
        recipe = study_recipe(manner, size, "cpu", SLOTS)
        found.append(Sitting(manner, recipe, weights, samples, seed=number))
    return found


def test_company_changes_no_bit(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As on a GPU: on a CPU each has its pass.
    monkeypatch.setattr(StudyRecipe, "slots", property(lambda recipe: recipe.batch))
    alone = [Dreamer("cpu", frugal=False).dream(one) for one in sittings(tmp_path, weights)]

    busy = Dreamer("cpu", frugal=False)
    shared: list[int] = []

    def together(
        network: Network,
        recipe: StudyRecipe,
        pictures: Sequence[np.ndarray],
        seeds: Sequence[int],
        masks: Mapping[Path, Mosaic],
    ) -> list[Dreamed]:
        deadline = time.monotonic() + 60
        while not shared and len(busy._waiting) < COUNT - 1:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        shared.append(len(pictures))
        return dreamed_studies(network, recipe, pictures, seeds, masks)

    monkeypatch.setattr(dreamer, "dreamed_studies", together)
    with ThreadPoolExecutor(COUNT) as pool:
        among = list(pool.map(busy.dream, sittings(tmp_path, weights)))
    assert sum(shared) == COUNT
    assert max(shared) == SLOTS
    for one, other in zip(alone, among, strict=True):
        assert torch.equal(one, other)


def test_a_fault_reaches_all_who_wait_for_it(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(*_: object) -> list[Dreamed]:
        raise MemoryError

    monkeypatch.setattr(dreamer, "dreamed_studies", faulty)
    busy = Dreamer("cpu", frugal=False)
    with ThreadPoolExecutor(COUNT) as pool:
        waiting = [pool.submit(busy.dream, one) for one in sittings(tmp_path, weights)]
        assert all(isinstance(one.exception(30), MemoryError) for one in waiting)
