"""The training loop: pictures as drawn first, then more and more for the worse."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torchvision.transforms import Normalize

from render.networks.pareidolia import Pareidolia


@dataclass(frozen=True)
class Adversary:
    """Projected gradient ascent in an L2 ball: `steps` steps, on pictures in [0, 1].

    `radius` is the L2 norm over all pixels and channels of the largest change to one picture.
    """

    radius: float
    steps: int

    def perturbed(self, network: nn.Module, pictures: Tensor, labels: Tensor) -> Tensor:
        """Return pictures within the radius of the given ones on which the loss is higher.

        `network` takes pictures (N, 3, H, W) in [0, 1]. Its batch norms use their kept statistics
        here, and are left in the mode they came in: with the batch's own statistics the pictures
        would shield each other.
        """
        was_training = network.training
        network.eval()
        change = torch.zeros_like(pictures)
        for _ in range(self.steps):
            change.requires_grad_(True)
            loss = nn.functional.cross_entropy(network(pictures + change), labels, reduction="sum")
            (gradient,) = torch.autograd.grad(loss, change)
            change = self.within(change.detach() + self.stride * unit(gradient))
            change = (pictures + change).clamp(0, 1) - pictures
        network.train(was_training)
        return pictures + change

    @property
    def stride(self) -> float:
        """Length of one step: together the steps reach 1.5 times the radius."""
        return 1.5 * self.radius / self.steps

    def within(self, change: Tensor) -> Tensor:
        """Return the change, shortened to the radius where it is longer."""
        size = change.flatten(1).norm(dim=1).clamp_min(1e-12)
        shortened: Tensor = change * (self.radius / size).clamp_max(1.0).view(-1, 1, 1, 1)
        return shortened


def unit(gradient: Tensor) -> Tensor:
    """Return each picture's gradient, scaled to L2 norm 1 (0 stays 0)."""
    size = gradient.flatten(1).norm(dim=1).clamp_min(1e-12)
    direction: Tensor = gradient / size.view(-1, 1, 1, 1)
    return direction


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


SLOPE = 0.1
"""Of the class map's ReLU below 0, at the first batch."""


def leaking(network: Pareidolia, training: Iterator[Progress], until: float) -> Iterator[Progress]:
    """Let the class map's ReLU leak, ever less, up to this share of a training's batches.

    With a hard one from the start, a class whose map is 0 on every picture gets no gradient and
    stays so: of 83 classes 10 did.
    """
    rectifier = network.classes.relu
    network.classes.relu = leak = nn.LeakyReLU(SLOPE)
    for now in training:
        leak.negative_slope = SLOPE * max(0.0, 1 - now.batches / now.of / until)
        yield now
    network.classes.relu = rectifier
