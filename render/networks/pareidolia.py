"""Pareidolia: the project's own small network, trained on synthetic pictures.

The architecture is GoogLeNet's (Szegedy et al., "Going Deeper with Convolutions", CVPR 2015),
reduced to 1.3 million parameters. It has batch normalisation, and two 3 x 3 convolutions in place
of 5 x 5 (Ioffe and Szegedy, 2015; Szegedy et al., 2016). Every operation before the head commutes
with shifts by the stride, so tiles need a finite halo.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn

CLASS_COUNT = 83


class Convolution(nn.Module):
    """Convolution with "same" padding, batch normalisation, ReLU.

    (N, inputs, H, W) -> (N, outputs, ceil(H / stride), ceil(W / stride)).
    """

    def __init__(self, inputs: int, outputs: int, side: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, side, stride, padding=side // 2, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Return the activations after batch normalisation and ReLU."""
        out: Tensor = self.relu(self.norm(self.conv(x)))
        return out


class Mixed(nn.Module):
    """An inception block: parallel branches of 1 x 1, 3 x 3, two 3 x 3, and a pool.

    widths: channels (point, near squeeze, near, far squeeze, far, pooled). The output has
    point + near + far + pooled channels at the input's height and width. Its layer is named
    `<name>.cat`.
    """

    def __init__(self, inputs: int, widths: tuple[int, int, int, int, int, int]) -> None:
        super().__init__()
        point, near_squeeze, near, far_squeeze, far, pooled = widths
        self.point = Convolution(inputs, point, 1)
        self.near = nn.Sequential(
            Convolution(inputs, near_squeeze, 1), Convolution(near_squeeze, near, 3)
        )
        self.far = nn.Sequential(
            Convolution(inputs, far_squeeze, 1),
            Convolution(far_squeeze, far, 3),
            Convolution(far, far, 3),
        )
        self.pooled = nn.Sequential(
            nn.MaxPool2d(3, stride=1, padding=1), Convolution(inputs, pooled, 1)
        )
        self.channels = point + near + far + pooled

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs of the branches, concatenated along channels."""
        return torch.cat([self.point(x), self.near(x), self.far(x), self.pooled(x)], 1)


class Pareidolia(nn.Module):
    """A small GoogLeNet whose class scores are the means of class maps.

    Its blocks are `stem` and `mixed3a` to `mixed4b` (stride 8), `mixed5a` and `classes` (stride
    16). `classes` is a map of each class, at least 0. A class is therefore one channel of a layer
    with exact tiles.

    Input: (N, 3, H, W) in torchvision's normalisation, at least 32 x 32. Output: scores before the
    softmax, (N, num_classes).
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            Convolution(3, 32, 7, stride=2),
            nn.MaxPool2d(3, stride=2, padding=1),
            Convolution(32, 64, 3),
            Convolution(64, 96, 3),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        self.mixed3a = Mixed(96, (48, 48, 80, 24, 40, 24))
        self.mixed3b = Mixed(self.mixed3a.channels, (64, 64, 112, 32, 48, 32))
        self.mixed4a = Mixed(self.mixed3b.channels, (64, 72, 128, 32, 56, 40))
        self.mixed4b = Mixed(self.mixed4a.channels, (72, 88, 160, 40, 72, 56))
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.mixed5a = Mixed(self.mixed4b.channels, (112, 112, 208, 56, 104, 88))
        self.classes = nn.Sequential(
            OrderedDict(conv=nn.Conv2d(self.mixed5a.channels, num_classes, 1), relu=nn.ReLU())
        )
        self.average = nn.AdaptiveAvgPool2d(1)

    def forward(self, x: Tensor) -> Tensor:
        """Return class scores (N, num_classes) of normalised pictures (N, 3, H, W)."""
        x = self.mixed3b(self.mixed3a(self.stem(x)))
        x = self.pool(self.mixed4b(self.mixed4a(x)))
        return torch.flatten(self.average(self.classes(self.mixed5a(x))), 1)


def pareidolia(num_classes: int = CLASS_COUNT) -> Pareidolia:
    """Build the network with untrained weights."""
    return Pareidolia(num_classes)
