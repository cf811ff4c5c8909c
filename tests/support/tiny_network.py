"""A tiny network with everything that makes tiles hard, and a small dream for it."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from render.dream.config import Dream
from render.dream.objective import Objective
from render.geometry.rect import Size


class Branches(nn.Module):
    """Parallel branches: wide and tall, dilated, padded average, and a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.wide = nn.Conv2d(channels, 3, (1, 7), padding=(0, 3))
        self.tall = nn.Conv2d(3, 3, (7, 1), padding=(3, 0))
        self.norm = nn.BatchNorm2d(3)
        self.dilated = nn.Conv2d(channels, 3, 3, padding=2, dilation=2)
        self.average = nn.AvgPool2d(3, stride=1, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W) to (N, channels + 6, H, W)."""
        far = functional.relu(self.norm(self.tall(self.wide(x))))
        return torch.cat([far, functional.relu(self.dilated(x)), self.average(x)], 1)


class TinyNetwork(nn.Module):
    """Unpadded strided convolutions, ceil-mode and floor-mode pools, and branches; stride 12.

    `first` and `second` have their own batch norms: one folds, the other cannot.
    """

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, stride=2, bias=False)
        self.first_norm = nn.BatchNorm2d(4)
        self.relu = nn.ReLU(inplace=True)
        self.ceil_pool = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.second = nn.Conv2d(4, 5, 3)
        self.floor_pool = nn.MaxPool2d(3, stride=1)
        self.branches = Branches(5)
        self.second_norm = nn.BatchNorm2d(11)
        self.third = nn.Conv2d(11, 6, 3, stride=3)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) to (N, 6, about H / 12, about W / 12)."""
        x = self.ceil_pool(self.relu(self.first_norm(self.first(x))))
        x = self.branches(self.floor_pool(self.relu(self.second(x))))
        return functional.relu(self.third(self.relu(self.second_norm(x))))


MIX = Objective("branches") + Objective("third", channels=(1, 4)) * -0.4


DREAM = Dream(octaves=2, steps=2, jitter=13, step_size=0.05, smooth=None)


SIZE = (40, 30)


def random_samples(size: Size, seed: int, dtype: type = np.uint8) -> np.ndarray:
    """A seeded picture of this size."""
    most = np.iinfo(dtype).max
    return np.random.default_rng(seed).integers(0, most, (*size, 3), dtype, endpoint=True)
