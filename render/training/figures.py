"""The figures of a trained network: what it knows, how it was made, with what."""

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from render.training.training import Adversary, Recipe, with_normalisation

FRESH_SEED = 10_000
"""Series of pictures that no training seed below this one draws from."""

JUDGES = 10  # steps of the adversary that the figures are measured with

Figures = dict[str, float | int | str | dict[str, float | int]]


def describe(
    architecture: str, classes: Sequence[str], command: str, recipe: Recipe
) -> dict[str, str]:
    """Return what a weights file says about itself; safetensors keeps strings only."""
    return {
        "architecture": architecture,
        "classes": json.dumps(list(classes)),
        "licence": "MIT",
        "made": f"trained on pictures that formulas drew: {command}",
        "recipe": json.dumps(asdict(recipe)),
    }


def accuracy(network: nn.Module, pictures: Tensor, truth: Tensor) -> float:
    """Return the share of pictures (N, 3, H, W) in [0, 1] that are given their own class."""
    with torch.no_grad():
        return float((network(pictures).argmax(1) == truth).float().mean())


def measure(network: nn.Module, recipe: Recipe, pictures: Tensor, truth: Tensor) -> Figures:
    """Measure a trained network on fresh pictures (N, 3, H, W) in [0, 1], clean and perturbed."""
    network.eval()
    model = with_normalisation(network)
    adversary = Adversary(recipe.radius, JUDGES)
    worst = [
        adversary.perturbed(model, some, names)
        for some, names in zip(torch.split(pictures, 64), torch.split(truth, 64), strict=True)
    ]
    return {
        "fresh_pictures": len(pictures),
        "clean_accuracy": round(accuracy(model, pictures, truth), 4),
        "perturbed_accuracy": round(accuracy(model, torch.cat(worst), truth), 4),
        "adversary": asdict(adversary),
        "classes": int(truth.max()) + 1,
        "parameters": sum(p.numel() for p in network.parameters()),
        "recipe": asdict(recipe),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }


def write(figures: Figures, path: Path) -> None:
    """Write the figures as JSON."""
    path.write_text(json.dumps(figures, indent=2) + "\n")
