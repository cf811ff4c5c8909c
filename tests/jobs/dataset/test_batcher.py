"""Batching: a request in a batch gives the same bytes as a single one."""

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
from render.determinism import use_threads
from render.engine.in_memory import DreamResult
from render.engine.in_memory_batch import dream_batch
from render.engine.setup import InMemorySetup
from render.networks.network import Network
from render.pictures.tiled_image import TiledImage
from tests.support.small_dataset import dataset_document
from tests.support.small_poster import MACHINE

SLOTS, COUNT = 4, 10


def batch_requests(folder: Path, weights: Path) -> list[BatchRequest]:
    """Requests with pictures of two sizes in turn, each with its own seed."""
    spec = parse_spec(dataset_document(folder, weights))
    assert isinstance(spec, DatasetSpec)
    item_settings = make_dataset_plan(spec, MACHINE).item_settings(0, {})
    draw = np.random.default_rng(6)
    found = []
    for number in range(COUNT):
        size = (64, 64) if number % 2 else (72, 56)
        samples = draw.integers(0, 256, (*size, 3), np.uint8)
        setup = in_memory_setup(item_settings, size, size, "cpu", SLOTS)
        found.append(BatchRequest(item_settings, setup, weights, samples, seed=number))
    return found


def test_a_shared_batch_gives_the_same_bits_as_single_requests(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Share passes as on a GPU; on a CPU each request has its own.
    monkeypatch.setattr(InMemorySetup, "windows_per_pass", property(lambda setup: setup.batch))
    single_results = [
        Batcher("cpu", returns_freed_memory=False).dream(one)
        for one in batch_requests(tmp_path, weights)
    ]

    shared_batcher = Batcher("cpu", returns_freed_memory=False)
    batch_sizes: list[int] = []

    def wait_and_dream(
        network: Network,
        setup: InMemorySetup,
        pictures: Sequence[np.ndarray],
        seeds: Sequence[int],
        masks: Mapping[Path, TiledImage],
    ) -> list[DreamResult]:
        deadline = time.monotonic() + 60
        while not batch_sizes and len(shared_batcher._queue) < COUNT - 1:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        batch_sizes.append(len(pictures))
        return dream_batch(network, setup, pictures, seeds, masks)

    monkeypatch.setattr(batcher, "dream_batch", wait_and_dream)
    with ThreadPoolExecutor(COUNT) as pool:
        batched_results = list(pool.map(shared_batcher.dream, batch_requests(tmp_path, weights)))
    assert sum(batch_sizes) == COUNT
    assert max(batch_sizes) == SLOTS
    for one, other in zip(single_results, batched_results, strict=True):
        assert torch.equal(one, other)


def test_guides_have_one_thread_whatever_was_dreamed_before(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []

    def prepare(network: Network, *_: object) -> Network:
        threads.append(torch.get_num_threads())
        return network

    def dream(*_: object) -> list[DreamResult]:
        use_threads(8)
        return [torch.zeros(1)]

    monkeypatch.setattr(batcher, "prepare_objectives", prepare)
    monkeypatch.setattr(batcher, "dream_batch", dream)
    one_batcher = Batcher("cpu", returns_freed_memory=False)
    for request in batch_requests(tmp_path, weights)[:3]:
        one_batcher.dream(request)
    assert threads == [1, 1, 1]


def test_an_error_reaches_all_waiting_requests(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> list[DreamResult]:
        raise MemoryError

    monkeypatch.setattr(batcher, "dream_batch", fail)
    shared_batcher = Batcher("cpu", returns_freed_memory=False)
    with ThreadPoolExecutor(COUNT) as pool:
        waiting = [
            pool.submit(shared_batcher.dream, one) for one in batch_requests(tmp_path, weights)
        ]
        assert all(isinstance(one.exception(30), MemoryError) for one in waiting)
