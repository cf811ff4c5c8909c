"""Pictures dreamed together: on a GPU, several share one pass of the network."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from render.determinism import use_threads
from render.dream.band_gradient import TileView, batched_tile_gradients, tile_gradients
from render.dream.objective import Objective
from render.engine.in_memory import NO_MASKS, DreamResult, InMemoryDream
from render.engine.setup import InMemorySetup
from render.networks.network import Network
from render.pictures.tiled_image import TiledImage


def dream_batch(
    network: Network,
    setup: InMemorySetup,
    pictures: Sequence[np.ndarray],
    seeds: Sequence[int],
    masks: Mapping[Path, TiledImage] = NO_MASKS,
) -> list[DreamResult]:
    """Dream pictures, (h, w, 3) of uint8 or uint16, each with its own seed, at the setup's size.

    Each result has the bytes of `render.engine.shard` for the same picture, size, seed and
    precision, on a CPU of the same kind. The other pictures and their order cannot change any bit
    of it: a pass always has the setup's `windows_per_pass`.

    The network is on the setup's device and comes from `prepare_objectives`; `masks` are the
    ingested masks of the setup's mix and dream. The process must have called `make_deterministic`.

    A picture with gradients that are not finite has a RenderError as its result. Raises ValueError
    for samples of another dtype, and unless there are as many seeds as pictures.
    """
    return dream_in_passes(network, setup, pictures, seeds, setup.windows_per_pass, masks)


def dream_in_passes(
    network: Network,
    setup: InMemorySetup,
    pictures: Sequence[np.ndarray],
    seeds: Sequence[int],
    windows_per_pass: int,
    masks: Mapping[Path, TiledImage] = NO_MASKS,
) -> list[DreamResult]:
    """The same with `windows_per_pass` on every device."""
    pairs = list(zip(pictures, seeds, strict=True))
    results: list[DreamResult] = []
    for first in range(0, len(pairs), windows_per_pass):
        batch = pairs[first : first + windows_per_pass]
        dreams = [InMemoryDream(setup, samples, seed, masks) for samples, seed in batch]
        for octave in range(len(setup.sizes)):
            _dream_octave(network, setup, dreams, octave, windows_per_pass)
        results += [dream.result for dream in dreams]
    return results


def _dream_octave(
    network: Network,
    setup: InMemorySetup,
    dreams: list[InMemoryDream],
    octave: int,
    windows_per_pass: int,
) -> None:
    use_threads(setup.threads(octave))
    for dream in _unfailed(dreams):
        dream.start(octave)
    tiles = range(len(setup.grids[octave]))
    for step in range(setup.dream.steps):
        if unfailed := _unfailed(dreams):
            _dream_step(network, setup, unfailed, tiles, step, windows_per_pass)


def _unfailed(dreams: list[InMemoryDream]) -> list[InMemoryDream]:
    return [dream for dream in dreams if not dream.has_failed]


def _dream_step(
    network: Network,
    setup: InMemorySetup,
    dreams: list[InMemoryDream],
    tiles: range,
    number: int,
    windows_per_pass: int,
) -> None:
    """One step of dreams that are in the same octave, tile by tile."""
    steps = [dream.step(number) for dream in dreams]
    # The steps differ in their jitter only.
    objectives = steps[0].objectives
    sums = []
    for tile in tiles:
        views = [dream.tile_view(tile, step) for dream, step in zip(dreams, steps, strict=True)]
        gradients = _view_gradients(network, objectives, setup, views, windows_per_pass)
        for dream, found in zip(dreams, gradients, strict=True):
            sums.append(dream.add_gradients(tile, found))
    # The sums of all dreams are read from the device once a step, so that it seldom idles.
    totals = [tuple(total) for total in torch.stack(sums).tolist()]
    for index, (dream, step) in enumerate(zip(dreams, steps, strict=True)):
        dream.update(step, totals[index :: len(dreams)])


def _view_gradients(
    network: Network,
    objectives: Sequence[Objective],
    setup: InMemorySetup,
    views: list[TileView],
    windows_per_pass: int,
) -> list[list[Tensor]]:
    """The gradients of each view. Views of one shape share a pass; only jitter makes others."""
    if windows_per_pass == 1:
        return [tile_gradients(network, objectives, setup.dream, view) for view in views]
    same_shape: dict[torch.Size, list[int]] = {}
    for index, view in enumerate(views):
        same_shape.setdefault(view.pixels.shape, []).append(index)
    gradients: dict[int, list[Tensor]] = {}
    for indices in same_shape.values():
        batch = [views[index] for index in indices]
        by_view = batched_tile_gradients(network, objectives, setup.dream, batch, windows_per_pass)
        gradients |= zip(indices, by_view, strict=True)
    return [gradients[index] for index in range(len(views))]
