"""Adversarial training: the loop, its configuration, and the attack on the pictures."""

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
    """Projected gradient ascent in an L2 ball, on pictures in [0, 1] (PGD).

    radius: largest change to one picture, as an L2 norm over pixels and channels.
    steps: gradient steps.
    """

    radius: float
    steps: int

    def perturb(self, network: nn.Module, pictures: Tensor, labels: Tensor) -> Tensor:
        """Return pictures within the radius of the given ones that have a higher loss.

        network: takes pictures (N, 3, H, W) in [0, 1]. Its batch norms use their running
            statistics here, so that the pictures of a batch do not affect each other. Its mode
            stays as it was.
        """
        was_training = network.training
        network.eval()
        change = torch.zeros_like(pictures)
        for _ in range(self.steps):
            change.requires_grad_(True)
            loss = nn.functional.cross_entropy(network(pictures + change), labels, reduction="sum")
            (gradient,) = torch.autograd.grad(loss, change)
            change = self.clip_to_radius(
                change.detach() + self.step_size * _unit_gradient(gradient)
            )
            change = (pictures + change).clamp(0, 1) - pictures
        network.train(was_training)
        return pictures + change

    @property
    def step_size(self) -> float:
        """L2 norm of one step. All steps together are 1.5 times the radius."""
        return 1.5 * self.radius / self.steps

    def clip_to_radius(self, change: Tensor) -> Tensor:
        """Scale changes that are longer than the radius down to it."""
        size = change.flatten(1).norm(dim=1).clamp_min(1e-12)
        shortened: Tensor = change * (self.radius / size).clamp_max(1.0).view(-1, 1, 1, 1)
        return shortened


def _unit_gradient(gradient: Tensor) -> Tensor:
    """Scale each picture's gradient to L2 norm 1 (0 stays 0)."""
    size = gradient.flatten(1).norm(dim=1).clamp_min(1e-12)
    direction: Tensor = gradient / size.view(-1, 1, 1, 1)
    return direction


MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


DrawBatch = Callable[[torch.Generator], tuple[Tensor, Tensor]]
"""Draws a batch: pictures (N, 3, H, W) in [0, 1] and their classes (N,)."""


@dataclass(frozen=True)
class TrainingConfig:
    """Hyperparameters of a training run.

    batches, batch_size: number and size of batches.
    rate: peak learning rate.
    radius, steps: of the adversary, on pictures in [0, 1].
    clean, grown: shares of the batches. The radius is 0 until `clean`, and grows to its full size
        until `grown`.
    seed: of the generator that draws batches.
    """

    batches: int
    batch_size: int
    rate: float
    radius: float
    steps: int = 2
    clean: float = 0.1
    grown: float = 0.65
    seed: int = 0

    def adversary_at(self, share: float) -> Adversary | None:
        """Return the adversary when this share of the batches is done; None at first.

        It has one step while the radius grows, which halves the cost.
        """
        if share < self.clean:
            return None
        if share < self.grown:
            radius = self.radius * (share - self.clean) / (self.grown - self.clean)
            return Adversary(radius, 1)
        return Adversary(self.radius, self.steps)


@dataclass(frozen=True)
class Progress:
    """Batches so far, the total number of batches, and the moving average of the loss."""

    batches: int
    total: int
    loss: float


def with_normalisation(network: nn.Module) -> nn.Sequential:
    """Wrap a network so that it takes pictures (N, 3, H, W) in [0, 1]."""
    return nn.Sequential(Normalize(MEAN, DEVIATION), network)


def cosine_with_warmup(share: float) -> float:
    """Return the factor of the learning rate: 8% linear warm-up, times a cosine down to 0."""
    warm = min(share / 0.08, 1.0)
    return warm * 0.5 * (1 + float(torch.cos(torch.tensor(share * torch.pi))))


def save_weights(network: nn.Module, path: Path, metadata: dict[str, str]) -> None:
    """Write the weights as .safetensors atomically, and create the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    tensors = {name: value.contiguous() for name, value in network.state_dict().items()}
    save_file(tensors, partial, metadata)
    partial.chmod(0o644)  # safetensors creates files that only the owner can read
    partial.replace(path)


def train(
    network: nn.Module, batches: DrawBatch, config: TrainingConfig, generator: torch.Generator
) -> Iterator[Progress]:
    """Train a network, and yield the progress after every batch."""
    optimiser = torch.optim.AdamW(network.parameters(), lr=config.rate, weight_decay=0.02)
    model = with_normalisation(network)
    network.train()
    recent = None
    for number in range(config.batches):
        share = number / config.batches
        for group in optimiser.param_groups:
            group["lr"] = config.rate * cosine_with_warmup(share)
        pictures, labels = batches(generator)
        if (adversary := config.adversary_at(share)) is not None:
            pictures = adversary.perturb(model, pictures, labels)
        loss = nn.functional.cross_entropy(model(pictures), labels)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        recent = loss.item() if recent is None else 0.97 * recent + 0.03 * loss.item()
        yield Progress(number + 1, config.batches, recent)


INITIAL_LEAK = 0.1
"""Slope of the class map's ReLU below 0 at the first batch."""


def with_leaky_relu(
    network: Pareidolia, training: Iterator[Progress], until: float
) -> Iterator[Progress]:
    """Run a training with a leaky ReLU on the class map.

    The leak decreases linearly to 0 at the share `until` of the batches. A class whose map is 0 on
    every picture would get no gradient from a plain ReLU; 10 of 83 classes did not recover from it.
    """
    rectifier = network.classes.relu
    network.classes.relu = leak = nn.LeakyReLU(INITIAL_LEAK)
    for now in training:
        leak.negative_slope = INITIAL_LEAK * max(0.0, 1 - now.batches / now.total / until)
        yield now
    network.classes.relu = rectifier
