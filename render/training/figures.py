"""The figures of a trained network: what it knows, how it was made, with what."""

import json
import platform
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from render.networks.pareidolia import Pareidolia
from render.training.motifs import MOTIFS
from render.training.pool import centre, draw, labels
from render.training.robust import Adversary
from render.training.train import Recipe, with_normalisation

FRESH_SEED = 10_000
"""Series of pictures that no training seed below this one draws from."""

Figures = dict[str, float | int | str | dict[str, float | int]]


def describe(recipe: Recipe) -> dict[str, str]:
    """Return what a weights file says about itself; safetensors keeps strings only."""
    return {
        "architecture": "pareidolia",
        "classes": json.dumps([motif.name for motif in MOTIFS]),
        "licence": "MIT",
        "made": "trained on pictures that formulas drew: python -m render.training",
        "recipe": json.dumps(asdict(recipe)),
    }


def accuracy(network: nn.Module, pictures: Tensor, truth: Tensor) -> float:
    """Return the share of pictures (N, 3, H, W) in [0, 1] that are given their own class."""
    with torch.no_grad():
        return float((network(pictures).argmax(1) == truth).float().mean())


def measure(
    network: Pareidolia, recipe: Recipe, weights: Path, minutes: float, drawn: int
) -> Figures:
    """Measure a trained network on fresh pictures, clean and perturbed."""
    network.eval()
    model = with_normalisation(network)
    count = 20 * len(MOTIFS)
    images = draw(FRESH_SEED, count, torch.get_num_threads())
    truth = labels(torch.arange(count))
    adversary = Adversary(recipe.radius, 10)
    clean, perturbed = [], []
    for pictures, names in zip(
        torch.split(centre(images), 92), torch.split(truth, 92), strict=True
    ):
        clean.append(accuracy(model, pictures, names))
        worst = adversary.perturbed(model, pictures, names)
        perturbed.append(accuracy(model, worst, names))
    return {
        "fresh_pictures": count,
        "clean_accuracy": round(float(np.mean(clean)), 4),
        "perturbed_accuracy": round(float(np.mean(perturbed)), 4),
        "adversary": asdict(adversary),
        "classes": len(MOTIFS),
        "pictures_per_class": drawn,
        "parameters": sum(p.numel() for p in network.parameters()),
        "bytes": weights.stat().st_size,
        "training_minutes": round(minutes, 1),
        "threads": torch.get_num_threads(),
        "recipe": asdict(recipe),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }


def write(figures: Figures, path: Path) -> None:
    """Write the figures as JSON."""
    path.write_text(json.dumps(figures, indent=2) + "\n")
