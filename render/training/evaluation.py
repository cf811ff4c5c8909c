"""Evaluates a trained network, and records how it was made."""

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from render.training.train import Adversary, TrainingConfig, with_normalisation

FRESH_SEED = 10_000
"""Seed of the evaluation pictures; training uses lower seeds."""


ATTACK_STEPS = 10  # steps of the adversary in the evaluation


Figures = dict[str, float | int | str | dict[str, float | int]]


def weights_metadata(
    architecture: str, classes: Sequence[str], command: str, config: TrainingConfig
) -> dict[str, str]:
    """Return the metadata of a weights file; safetensors stores strings only."""
    return {
        "architecture": architecture,
        "classes": json.dumps(list(classes)),
        "licence": "MIT",
        "made": f"trained on pictures that formulas drew: {command}",
        "recipe": json.dumps(asdict(config)),
    }


def accuracy(network: nn.Module, pictures: Tensor, truth: Tensor) -> float:
    """Return the share of correctly classified pictures (N, 3, H, W) in [0, 1]."""
    with torch.no_grad():
        return float((network(pictures).argmax(1) == truth).float().mean())


def evaluate(
    network: nn.Module, config: TrainingConfig, pictures: Tensor, truth: Tensor
) -> Figures:
    """Evaluate a network on new pictures (N, 3, H, W) in [0, 1], clean and perturbed."""
    network.eval()
    model = with_normalisation(network)
    adversary = Adversary(config.radius, ATTACK_STEPS)
    worst = [
        adversary.perturb(model, some, labels)
        for some, labels in zip(torch.split(pictures, 64), torch.split(truth, 64), strict=True)
    ]
    return {
        "fresh_pictures": len(pictures),
        "clean_accuracy": round(accuracy(model, pictures, truth), 4),
        "perturbed_accuracy": round(accuracy(model, torch.cat(worst), truth), 4),
        "adversary": asdict(adversary),
        "classes": int(truth.max()) + 1,
        "parameters": sum(p.numel() for p in network.parameters()),
        "recipe": asdict(config),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }


def write_figures(figures: Figures, path: Path) -> None:
    """Write the figures as JSON."""
    path.write_text(json.dumps(figures, indent=2) + "\n")
