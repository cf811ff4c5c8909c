"""Judges a fine-tuned network by the held-out pictures, and writes its weights file."""

import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from render.determinism import deterministic_mode
from render.networks.builtin import PAREIDOLIA
from render.networks.normalisation import TORCHVISION
from render.pictures.output_errors import disk_errors
from render.training.evaluation import Figures, evaluate, save_weights, weights_metadata
from render.training.finetune.batches import middle_views
from render.training.finetune.finetune import recipe
from render.training.finetune.picture_pool import PicturePool
from render.training.finetune.settings import FineTuneSettings, Machine, Stage, Watch
from render.training.motifs import MOTIFS

_MOST_JUDGED = 1000
"""Held-out pictures; each is perturbed, which takes longer than to train on it."""


def class_names_of(pool: PicturePool, settings: FineTuneSettings) -> Sequence[str]:
    """The names of a fine-tuned network's classes, in order."""
    kept = [motif.name for motif in MOTIFS] if settings.keep_classes else []
    return [*kept, *(motif.name for motif in pool.motifs)]


def judge(
    network: nn.Module,
    pool: PicturePool,
    settings: FineTuneSettings,
    machine: Machine,
    watch: Watch,
) -> Figures:
    """Judge a network by held-out pictures, clean and perturbed. Its class wins against all."""
    pictures, truth = _held_out(pool)
    first = len(MOTIFS) if settings.keep_classes else 0
    watch(Stage("judge", 0, len(pictures)))
    with deterministic_mode():
        network.to(machine.device)
        figures = evaluate(
            network,
            recipe(settings),
            pictures.to(machine.device),
            (truth + first).to(machine.device),
        )
        network.cpu()
    watch(Stage("judge", len(pictures), len(pictures)))
    held_out = figures.pop("fresh_pictures")
    return {"held_out": held_out, **figures}


def _held_out(pool: PicturePool) -> tuple[Tensor, Tensor]:
    """Held-out pictures, as many of each motif as there may be, and the numbers of their motifs."""
    most = max(1, _MOST_JUDGED // len(pool.motifs))
    each = [one.squares[one.held_out[:most]] for one in pool.motifs]
    labels = torch.cat([torch.full((len(some),), k) for k, some in enumerate(each)])
    return middle_views(torch.from_numpy(np.concatenate(each))), labels


def write_weights(
    network: nn.Module,
    path: Path,
    pool: PicturePool,
    settings: FineTuneSettings,
    figures: Figures,
) -> None:
    """Write the weights with all that is known about them. The same gives the same bytes.

    Raises OutputError if the disk is full.
    """
    names = class_names_of(pool, settings)
    known = weights_metadata(PAREIDOLIA, names, "dreamfarm train", recipe(settings))
    counts = {one.name: len(one.squares) for one in pool.motifs}
    metadata = known | {
        "licence": settings.licence,
        "made": f"fine-tuned from {PAREIDOLIA} on {pool.count} pictures: dreamfarm train",
        "pictures": json.dumps(counts),
        "figures": json.dumps(figures),
        "input_convention": TORCHVISION,
        "dreamfarm": version("dreamfarm"),
    }
    with disk_errors(path):
        save_weights(network, path, metadata)
