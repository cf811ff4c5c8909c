"""The training loop: first on clean pictures, then on perturbed ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torchvision.transforms import Normalize

from render.networks.pareidolia import Pareidolia
from render.training.pool import batch
from render.training.robust import Adversary

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Recipe:
    """How long and how hard to train.

    Lengths are batches, not minutes: a slow machine takes longer and gets the same network. The
    radius is the L2 norm, over pixels and channels, of a change to a picture in [0, 1].
    """

    plain_batches: int = 1100
    robust_batches: int = 1000
    batch_size: int = 64
    plain_rate: float = 3e-3
    robust_rate: float = 1.5e-3
    radius: float = 2.5
    steps: int = 2
    seed: int = 0


@dataclass(frozen=True)
class Progress:
    """Where a phase stands: batches so far, of how many, and the recent mean loss."""

    phase: str
    batches: int
    of: int
    loss: float


def with_normalisation(network: Pareidolia) -> nn.Sequential:
    """Return the network as a function of pictures (N, 3, H, W) in [0, 1]."""
    return nn.Sequential(Normalize(MEAN, DEVIATION), network)


def warm_cosine(share: float) -> float:
    """Return the learning rate's factor: up in a phase's first 8%, then down to 0 by a cosine."""
    warm = min(share / 0.08, 1.0)
    return warm * 0.5 * (1 + float(torch.cos(torch.tensor(share * torch.pi))))


def save(network: Pareidolia, path: Path, metadata: dict[str, str]) -> None:
    """Write the weights in one go: no reader ever sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".part")
    tensors = {name: value.contiguous() for name, value in network.state_dict().items()}
    save_file(tensors, half, metadata)
    half.chmod(0o644)  # safetensors writes for the owner alone; this file is for everyone
    half.replace(path)


def phase(
    network: Pareidolia,
    images: Tensor,
    recipe: Recipe,
    name: str,
    dice: torch.Generator,
) -> Iterator[Progress]:
    """Train for one phase, `plain` or `robust`, and report after every batch.

    `images` is a pool of byte pictures. In the robust phase the radius grows to its full size over
    the first fifth, so that the network is never lost.
    """
    robust = name == "robust"
    batches = recipe.robust_batches if robust else recipe.plain_batches
    rate = recipe.robust_rate if robust else recipe.plain_rate
    optimiser = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=0.02)
    model = with_normalisation(network)
    smoothing = 0.0 if robust else 0.05
    network.train()
    recent = None
    for number in range(batches):
        share = number / batches
        for group in optimiser.param_groups:
            group["lr"] = rate * warm_cosine(share)
        pictures, labels = batch(images, recipe.batch_size, dice)
        if robust:
            adversary = Adversary(recipe.radius * min(1.0, 0.2 + 4 * share), recipe.steps)
            pictures = adversary.perturbed(model, pictures, labels)
        loss = nn.functional.cross_entropy(model(pictures), labels, label_smoothing=smoothing)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        recent = loss.item() if recent is None else 0.97 * recent + 0.03 * loss.item()
        yield Progress(name, number + 1, batches, recent)
