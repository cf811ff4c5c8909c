"""Where a worker's threads meet: one of them dreams, for all that wait with pictures alike."""

import functools
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from jobs.planning.item_settings import Manner
from render.determinism import arithmetic, keep_freed_memory, make_repeatable, return_freed_memory
from render.device import Device, Resolved
from render.dream.guide import attentive
from render.engine.in_memory import Dreamed
from render.engine.in_memory_batch import dreamed_studies
from render.engine.setup import StudyRecipe
from render.errors import PictureError
from render.fourier.feature import dreamed_feature
from render.fourier.setup import FeatureRecipe
from render.networks.network import Network, load_network
from render.pictures.tiled_image import Mosaic

_NETWORKS = 2
"""Kept ready: items of one network come together, and the next one's begin before they end."""


@dataclass(frozen=True, eq=False)
class Sitting:
    """A decoded picture, how it is to be dreamed, and who waits for it.

    samples: of what the dream begins with; what begins from nothing has none of them.
    """

    manner: Manner
    recipe: StudyRecipe | FeatureRecipe
    weights: Path
    samples: np.ndarray
    seed: int
    masks: Mapping[Path, Mosaic] = field(default_factory=dict)
    outcome: "Future[Dreamed]" = field(default_factory=Future)

    def is_like(self, other: "Sitting") -> bool:
        """Whether both may share passes: the results have one size, made in one manner."""
        return (self.recipe, self.weights) == (
            other.recipe,
            other.weights,
        ) and self.manner.spec.network == other.manner.spec.network


class Dreamer:
    """One device's networks. Safe for threads: they decode and encode while one of them dreams."""

    def __init__(self, device: Device, *, frugal: bool) -> None:
        """frugal: whether memory on a CPU is given back at once rather than kept for speed."""
        make_repeatable()
        if device == "cpu":
            return_freed_memory() if frugal else keep_freed_memory()
        self._device = torch.device(device)
        self._waiting: list[Sitting] = []
        self._turn = threading.Lock()
        self._network = functools.lru_cache(maxsize=_NETWORKS)(self._loaded)

    def dream(self, sitting: Sitting) -> torch.Tensor:
        """The canvas (h, w, 3), on the CPU. PictureError where this one cannot be dreamed."""
        self._waiting.append(sitting)
        with self._turn:
            if not sitting.outcome.done():
                self._run(self._batch(sitting))
        found = sitting.outcome.result()
        if isinstance(found, Exception):
            raise PictureError(str(found)) from found
        return found

    def _batch(self, first: Sitting) -> list[Sitting]:
        """This one, and those that wait and may share its passes, as many as these have room."""
        others = [one for one in list(self._waiting) if one is not first and one.is_like(first)]
        batch = [first, *others[: first.recipe.slots - 1]]
        for one in batch:
            self._waiting.remove(one)
        return batch

    def _run(self, batch: Sequence[Sitting]) -> None:
        first = batch[0]
        try:
            found = _dreamed(self._ready(first), batch)
        except BaseException as error:
            # Whoever waits must not wait for ever, whatever has happened.
            for one in batch:
                one.outcome.set_exception(error)
            raise
        for one, dreamed in zip(batch, found, strict=True):
            one.outcome.set_result(dreamed)

    def _ready(self, sitting: Sitting) -> Network:
        """The network that a sitting needs, having looked at its guides."""
        recipe, chosen = sitting.recipe, sitting.manner.spec.network
        network = self._network(chosen.name, sitting.weights, recipe.mix.layers, recipe.precision)
        return attentive(network, recipe.mix, sitting.manner.survey.units)

    def _loaded(
        self, name: str, weights: Path, layers: tuple[str, ...], precision: Resolved
    ) -> Network:
        return load_network(name, weights, layers, arithmetic(precision).network, self._device)


def _dreamed(network: Network, batch: Sequence[Sitting]) -> list[Dreamed]:
    """What becomes of sittings that are alike."""
    recipe, seeds = batch[0].recipe, [one.seed for one in batch]
    if isinstance(recipe, FeatureRecipe):
        return [dreamed_feature(network, recipe, seed) for seed in seeds]
    samples = [one.samples for one in batch]
    return dreamed_studies(network, recipe, samples, seeds, batch[0].masks)
