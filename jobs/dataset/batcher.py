"""Batching on one device: threads add requests, and one thread dreams similar requests together."""

import functools
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from jobs.planning.item_settings import ItemSettings
from render.determinism import (
    dtypes,
    keep_freed_memory,
    make_deterministic,
    return_freed_memory,
    use_threads,
)
from render.device import Device, ResolvedPrecision
from render.dream.attachments import prepare_objectives
from render.engine.in_memory import DreamResult
from render.engine.in_memory_batch import dream_batch
from render.engine.setup import InMemorySetup
from render.errors import PictureError
from render.fourier.feature import dream_feature
from render.fourier.setup import FeatureSetup
from render.networks.network import Network, load_network
from render.pictures.tiled_image import TiledImage

_CACHED_NETWORKS = 2
"""Items are sorted by network, but the first of the next network start before the last ones end."""


@dataclass(frozen=True, eq=False)
class BatchRequest:
    """A decoded picture, how to dream it, and a future for the result.

    weights: the path of the network's weights. samples: the picture as sRGB, of shape (height,
    width, 3) and type uint8 or uint16; empty if the dream needs no picture. seed: of the dream.
    masks: the decoded masks by their path in the spec.
    """

    item_settings: ItemSettings
    setup: InMemorySetup | FeatureSetup
    weights: Path
    samples: np.ndarray
    seed: int
    masks: Mapping[Path, TiledImage] = field(default_factory=dict)
    outcome: "Future[DreamResult]" = field(default_factory=Future)

    def can_share_batch(self, other: "BatchRequest") -> bool:
        """Whether both may share passes: equal settings, and results of equal size."""
        mine = self.setup, self.weights, self.item_settings.spec.network
        return mine == (other.setup, other.weights, other.item_settings.spec.network)


class Batcher:
    """Dreams requests on one device, similar ones in one batch. Thread-safe.

    Threads decode and encode pictures in parallel. One thread at a time uses the device, and runs a
    batch for all that wait.
    """

    def __init__(self, device: Device, *, returns_freed_memory: bool) -> None:
        """returns_freed_memory: on a CPU, return freed memory at once; else keep it for speed."""
        make_deterministic()
        if device == "cpu":
            return_freed_memory() if returns_freed_memory else keep_freed_memory()
        self._device = torch.device(device)
        self._queue: list[BatchRequest] = []
        self._device_lock = threading.Lock()
        self._network = functools.lru_cache(maxsize=_CACHED_NETWORKS)(self._load_network)

    def dream(self, request: BatchRequest) -> torch.Tensor:
        """Return the canvas, of shape (height, width, 3), on the CPU.

        Raises PictureError if this request cannot be dreamed.
        """
        self._queue.append(request)
        with self._device_lock:
            if not request.outcome.done():
                self._run(self._take_batch(request))
        result = request.outcome.result()
        if isinstance(result, Exception):
            raise PictureError(str(result)) from result
        return result

    def _take_batch(self, first: BatchRequest) -> list[BatchRequest]:
        """Take this request and similar ones from the queue, as many as fit in a pass."""
        others = [
            one for one in list(self._queue) if one is not first and one.can_share_batch(first)
        ]
        batch = [first, *others[: first.setup.windows_per_pass - 1]]
        for request in batch:
            self._queue.remove(request)
        return batch

    def _run(self, batch: Sequence[BatchRequest]) -> None:
        try:
            results = _dream_together(self._network_for(batch[0]), batch)
        except BaseException as error:
            # Whatever happened, no thread may wait forever.
            for request in batch:
                request.outcome.set_exception(error)
            raise
        for request, result in zip(batch, results, strict=True):
            request.outcome.set_result(result)

    def _network_for(self, request: BatchRequest) -> Network:
        """The network of a request, with the features of its guides."""
        setup, chosen = request.setup, request.item_settings.spec.network
        network = self._network(chosen.name, request.weights, setup.mix.layers, setup.precision)
        # As in a new process, whatever was dreamed before.
        use_threads(1)
        return prepare_objectives(network, setup.mix, request.item_settings.profile.units)

    def _load_network(
        self, name: str, weights: Path, layers: tuple[str, ...], precision: ResolvedPrecision
    ) -> Network:
        return load_network(name, weights, layers, dtypes(precision).network, self._device)


def _dream_together(network: Network, batch: Sequence[BatchRequest]) -> list[DreamResult]:
    """Dream requests that may share a batch."""
    setup, seeds = batch[0].setup, [request.seed for request in batch]
    if isinstance(setup, FeatureSetup):
        return [dream_feature(network, setup, seed) for seed in seeds]
    samples = [request.samples for request in batch]
    return dream_batch(network, setup, samples, seeds, batch[0].masks)
