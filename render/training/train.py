"""Adversarial training: the loop, its configuration, and the attack on the pictures."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Self

import torch
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
    frozen_norms: whether batch norms keep their statistics, as for a trained network.
    """

    batches: int
    batch_size: int
    rate: float
    radius: float
    steps: int = 2
    clean: float = 0.1
    grown: float = 0.65
    seed: int = 0
    frozen_norms: bool = False

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
    """Wrap a network so that it takes pictures (N, 3, H, W) in [0, 1]. It has the same mode."""
    return nn.Sequential(Normalize(MEAN, DEVIATION), network).train(network.training)


def cosine_with_warmup(share: float) -> float:
    """Return the factor of the learning rate: 8% linear warm-up, times a cosine down to 0."""
    warm = min(share / 0.08, 1.0)
    return warm * 0.5 * (1 + float(torch.cos(torch.tensor(share * torch.pi))))


@dataclass(frozen=True)
class Compute:
    """How batches are computed.

    device: of the network. dtype: of its convolutions; the weights stay float32.
    parts: a batch is computed in so many parts, each in a thread of its own. Sums do not depend on
        the number of cores. More than one part needs frozen norms.
    """

    device: str = "cpu"
    dtype: torch.dtype = torch.float32
    parts: int = 1


IN_THIS_THREAD = Compute()


class Training(Iterator[Progress]):
    """A training that takes a step at each `next`. Its state can be stored after any step."""

    def __init__(
        self,
        network: nn.Module,
        batches: DrawBatch,
        config: TrainingConfig,
        generator: torch.Generator,
        compute: Compute = IN_THIS_THREAD,
    ) -> None:
        """Prepare to train a network, which is on the device already."""
        if compute.parts > 1 and not config.frozen_norms:
            raise ValueError("a batch in parts needs frozen norms")
        self._network = network.train(not config.frozen_norms)
        self._model, self._batches, self._config = with_normalisation(network), batches, config
        self._generator, self._compute = generator, compute
        self._parameters = [one for one in network.parameters() if one.requires_grad]
        self._optimiser = torch.optim.AdamW(self._parameters, lr=config.rate, weight_decay=0.02)
        self._done, self._loss = 0, 0.0
        self._threads = ThreadPoolExecutor(compute.parts)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown()

    @property
    def share(self) -> float:
        """The share of the batches that is done, from 0 to 1."""
        return self._done / self._config.batches

    def state(self) -> dict[str, Any]:
        """All that `restore` needs, as plain values and tensors."""
        return {
            "done": self._done,
            "loss": self._loss,
            "network": self._network.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "generator": self._generator.get_state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from a state of the same training; the next steps then give the same bits."""
        self._network.load_state_dict(state["network"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._generator.set_state(state["generator"])
        self._done, self._loss = state["done"], state["loss"]

    def __next__(self) -> Progress:
        """Train with one batch, and return the progress."""
        config = self._config
        if self._done == config.batches:
            raise StopIteration
        for group in self._optimiser.param_groups:
            group["lr"] = config.rate * cosine_with_warmup(self.share)
        loss = self._set_gradients(*self._batches(self._generator))
        self._optimiser.step()
        self._loss = 0.97 * self._loss + 0.03 * loss if self._done else loss
        self._done += 1
        return Progress(self._done, config.batches, self._loss)

    def _set_gradients(self, pictures: Tensor, labels: Tensor) -> float:
        """Set the gradient of each parameter, and return the loss. Parts are added in order."""
        parts, adversary = self._compute.parts, self._config.adversary_at(self.share)

        def compute(some: Tensor, truth: Tensor) -> tuple[float, tuple[Tensor, ...]]:
            return self._gradients(some, truth, adversary, len(labels))

        each = list(self._threads.map(compute, pictures.chunk(parts), labels.chunk(parts)))
        for parameter, *gradients in zip(self._parameters, *(one for _, one in each), strict=True):
            parameter.grad = torch.stack(gradients).sum(0) if parts > 1 else gradients[0]
        return sum(loss for loss, _ in each)

    def _gradients(
        self, pictures: Tensor, labels: Tensor, adversary: Adversary | None, count: int
    ) -> tuple[float, tuple[Tensor, ...]]:
        """The part's share of the loss of `count` pictures, and its gradients."""
        device, dtype = self._compute.device, self._compute.dtype
        pictures, labels = pictures.to(device), labels.to(device)
        # Casts are not cached: threads share the cache.
        is_narrow = dtype != torch.float32
        with torch.autocast(device, dtype, enabled=is_narrow, cache_enabled=False):
            if adversary is not None:
                pictures = adversary.perturb(self._model, pictures, labels)
            scores = self._model(pictures)
            loss = nn.functional.cross_entropy(scores, labels, reduction="sum") / count
        return loss.item(), torch.autograd.grad(loss, self._parameters)


INITIAL_LEAK = 0.1
"""Slope of the class map's ReLU below 0 at the first batch."""


def with_leaky_relu(
    network: Pareidolia, training: Iterator[Progress], until: float, done: float = 0.0
) -> Iterator[Progress]:
    """Run a training with a leaky ReLU on the class map.

    The leak decreases linearly to 0 at the share `until` of the batches. A class whose map is 0 on
    every picture would get no gradient from a plain ReLU; 10 of 83 classes did not recover from it.

    done: the share of the batches that the training has done before.
    """

    def slope(share: float) -> float:
        return INITIAL_LEAK * max(0.0, 1 - share / until)

    rectifier = network.classes.relu
    network.classes.relu = leak = nn.LeakyReLU(slope(done))
    for now in training:
        leak.negative_slope = slope(now.batches / now.total)
        yield now
    network.classes.relu = rectifier
