"""Threads that meet at one device: whoever shares a pass has the bytes of who dreams alone."""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from jobs.dataset import batcher
from jobs.dataset.batcher import Batcher, BatchRequest
from jobs.planning.dataset import make_dataset_plan
from jobs.planning.item_plan import in_memory_setup
from jobs.spec.dataset import DatasetSpec
from jobs.spec.kinds import parse_spec
from render.engine.in_memory import DreamResult
from render.engine.in_memory_batch import dream_batch
from render.engine.setup import InMemorySetup
from render.networks.network import Network
from render.pictures.tiled_image import TiledImage
from tests.support.small_dataset import dataset_document
from tests.support.small_poster import MACHINE

SLOTS, COUNT = 4, 10


def batch_requests(folder: Path, weights: Path) -> list[BatchRequest]:
    """Pictures of two sizes by turns, each with its seed."""
    spec = parse_spec(dataset_document(folder, weights))
    assert isinstance(spec, DatasetSpec)
    item_settings = make_dataset_plan(spec, MACHINE).item_settings(0, {})
    draw = np.random.default_rng(6)
    found = []
    for number in range(COUNT):
        size = (64, 64) if number % 2 else (72, 56)
        samples = draw.integers(0, 256, (*size, 3), np.uint8)
        setup = in_memory_setup(item_settings, size, "cpu", SLOTS)
        found.append(BatchRequest(item_settings, setup, weights, samples, seed=number))
    return found


def test_company_changes_no_bit(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As on a GPU: on a CPU each has its pass.
    monkeypatch.setattr(InMemorySetup, "windows_per_pass", property(lambda setup: setup.batch))
    alone = [Batcher("cpu", frugal=False).dream(one) for one in batch_requests(tmp_path, weights)]

    busy = Batcher("cpu", frugal=False)
    shared: list[int] = []

    def together(
        network: Network,
        setup: InMemorySetup,
        pictures: Sequence[np.ndarray],
        seeds: Sequence[int],
        masks: Mapping[Path, TiledImage],
    ) -> list[DreamResult]:
        deadline = time.monotonic() + 60
        while not shared and len(busy._queue) < COUNT - 1:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        shared.append(len(pictures))
        return dream_batch(network, setup, pictures, seeds, masks)

    monkeypatch.setattr(batcher, "dream_batch", together)
    with ThreadPoolExecutor(COUNT) as pool:
        among = list(pool.map(busy.dream, batch_requests(tmp_path, weights)))
    assert sum(shared) == COUNT
    assert max(shared) == SLOTS
    for one, other in zip(alone, among, strict=True):
        assert torch.equal(one, other)


def test_a_fault_reaches_all_who_wait_for_it(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(*_: object) -> list[DreamResult]:
        raise MemoryError

    monkeypatch.setattr(batcher, "dream_batch", faulty)
    busy = Batcher("cpu", frugal=False)
    with ThreadPoolExecutor(COUNT) as pool:
        waiting = [pool.submit(busy.dream, one) for one in batch_requests(tmp_path, weights)]
        assert all(isinstance(one.exception(30), MemoryError) for one in waiting)
