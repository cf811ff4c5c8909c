"""The training loop: pictures as drawn first, then more and more for the worse."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torchvision.transforms import Normalize

from render.training.robust import Adversary

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

Batches = Callable[[torch.Generator], tuple[Tensor, Tensor]]
"""Draws a batch: pictures (N, 3, H, W) in [0, 1] and their classes (N,)."""


@dataclass(frozen=True)
class Recipe:
    """How long and how hard to train.

    The length is in batches, not minutes: a slow machine takes longer and gets the same network.
    The radius is the L2 norm, over pixels and channels, of a change to a picture in [0, 1]; it is
    0 up to `clean` of the batches, grows to its full size at `grown`, and stays.
    """

    batches: int
    batch_size: int
    rate: float
    radius: float
    steps: int = 2
    clean: float = 0.1
    grown: float = 0.65
    seed: int = 0

    def adversary(self, share: float) -> Adversary | None:
        """Return who changes the pictures when this share of the batches is done; None at first.

        While the radius grows one step is enough, at half the price of two.
        """
        if share < self.clean:
            return None
        if share < self.grown:
            reach = self.radius * (share - self.clean) / (self.grown - self.clean)
            return Adversary(reach, 1)
        return Adversary(self.radius, self.steps)


@dataclass(frozen=True)
class Progress:
    """Where the training stands: batches so far, of how many, and the recent mean loss."""

    batches: int
    of: int
    loss: float


def with_normalisation(network: nn.Module) -> nn.Sequential:
    """Return the network as a function of pictures (N, 3, H, W) in [0, 1]."""
    return nn.Sequential(Normalize(MEAN, DEVIATION), network)


def warm_cosine(share: float) -> float:
    """Return the learning rate's factor: up in the first 8%, then down to 0 by a cosine."""
    warm = min(share / 0.08, 1.0)
    return warm * 0.5 * (1 + float(torch.cos(torch.tensor(share * torch.pi))))


def save(network: nn.Module, path: Path, metadata: dict[str, str]) -> None:
    """Write the weights in one go: no reader ever sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".part")
    tensors = {name: value.contiguous() for name, value in network.state_dict().items()}
    save_file(tensors, half, metadata)
    half.chmod(0o644)  # safetensors writes for the owner alone; this file is for everyone
    half.replace(path)


def train(
    network: nn.Module, batches: Batches, recipe: Recipe, dice: torch.Generator
) -> Iterator[Progress]:
    """Train from the first batch to the last, and report after every one."""
    optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.rate, weight_decay=0.02)
    model = with_normalisation(network)
    network.train()
    recent = None
    for number in range(recipe.batches):
        share = number / recipe.batches
        for group in optimiser.param_groups:
            group["lr"] = recipe.rate * warm_cosine(share)
        pictures, labels = batches(dice)
        if (adversary := recipe.adversary(share)) is not None:
            pictures = adversary.perturbed(model, pictures, labels)
        loss = nn.functional.cross_entropy(model(pictures), labels)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        recent = loss.item() if recent is None else 0.97 * recent + 0.03 * loss.item()
        yield Progress(number + 1, recipe.batches, recent)
