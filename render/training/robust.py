"""The adversary: small changes to pictures that raise the loss, for robust training.

Madry et al., "Towards Deep Learning Models Resistant to Adversarial Attacks" (ICLR 2018): train on
the worst picture within a ball round each picture. Engstrom et al., "Adversarial Robustness as a
Prior for Learned Representations" (2019): what such a network wants to see more of looks like
things, which is what dreams are made of.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn


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
