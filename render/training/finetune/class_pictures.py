"""Dreams a picture of every class of a weights file from noise."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

from render.determinism import deterministic_mode, dtypes
from render.dream.attachments import prepare_objectives
from render.dream.objective import Mix, Objective
from render.errors import RenderError
from render.fourier.feature import dream_feature
from render.fourier.setup import FeatureSetup, Fourier
from render.networks.builtin import PAREIDOLIA
from render.networks.catalogue import build_network
from render.networks.network import Network, load_network
from render.networks.receptive_field import layer_grid
from render.pictures.colour import to_samples
from render.training.finetune.settings import Machine, Stage, Watch

SIDE = 96
"""Side of a class picture in pixels: a motif of the training then fills most of it."""

_FOURIER = Fourier(steps=80, turn=25)

_AT_ONCE = 4


def dream_classes(
    weights: Path, count: int, seed: int, machine: Machine, watch: Watch
) -> Iterator[np.ndarray]:
    """Yield a picture (SIDE, SIDE, 3) of bytes for each of the first `count` classes.

    Raises WeightsError if the file does not fit pareidolia.
    """
    first = Mix((Objective(classes=(0,)),))
    grid = layer_grid(build_network(PAREIDOLIA), PAREIDOLIA, first.layers)
    with deterministic_mode(), ThreadPoolExecutor(_AT_ONCE) as threads:
        dtype, device = dtypes(machine.precision).network, torch.device(machine.device)
        network = load_network(PAREIDOLIA, weights, first.layers, dtype, device)
        network = prepare_objectives(network, first, {})

        def dream(number: int) -> np.ndarray:
            mix = Mix((Objective(classes=(number,)),))
            setup = FeatureSetup(
                mix,
                _FOURIER,
                machine.precision,
                machine.device,
                (SIDE, SIDE),
                grid.stride,
                grid.field,
            )
            return _dream(network, setup, seed)

        for number, picture in enumerate(threads.map(dream, range(count))):
            watch(Stage("dream", number + 1, count))
            yield picture


def _dream(network: Network, setup: FeatureSetup, seed: int) -> np.ndarray:
    canvas = dream_feature(network, setup, seed)
    if isinstance(canvas, RenderError):
        raise canvas
    return to_samples(canvas, 8)
