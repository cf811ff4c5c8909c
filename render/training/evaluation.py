"""Evaluates a trained network, records how it was made, and writes its weights file."""

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save
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


_LENGTH_BYTES, _ALIGNMENT = 8, 8  # of a safetensors header


def save_weights(network: nn.Module, path: Path, metadata: Mapping[str, str]) -> None:
    """Write the weights as .safetensors atomically, and create the folder.

    The same weights and metadata give the same bytes.
    """
    tensors = {name: value.cpu().contiguous() for name, value in network.state_dict().items()}
    content = save(tensors)
    end = _LENGTH_BYTES + int.from_bytes(content[:_LENGTH_BYTES], "little")
    # safetensors itself writes metadata in a random order.
    header = {"__metadata__": dict(metadata), **json.loads(content[_LENGTH_BYTES:end])}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    partial.write_bytes(len(text).to_bytes(_LENGTH_BYTES, "little") + text + content[end:])
    partial.replace(path)


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
