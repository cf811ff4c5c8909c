"""LeNet-5: the network that read cheques, taught on digits that formulas and fonts drew.

LeCun, Bottou, Bengio and Haffner, "Gradient-Based Learning Applied to Document Recognition"
(Proceedings of the IEEE, 1998). As in the paper C5 is a 5 x 5 convolution, so the network reads a
picture of any size, position by position (the paper's "space displacement network"). Departures:
C3 sees all maps of S2, subsampling has no weights, ReLU in place of the scaled tanh (a saturated
unit gives dreams no gradient), a linear layer in place of the radial basis functions, and a colour
picture is made grey first.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn

CLASS_COUNT = 10
LUMA = (0.299, 0.587, 0.114)
"""Shares of red, green and blue in grey (ITU-R BT.601)."""
DEVIATION = (0.229, 0.224, 0.225)
"""Of red, green and blue, by torchvision's normalisation."""


class LeNet5(nn.Module):
    """Layers `c1` and `c3` (5 x 5), `s2` and `s4` (halving), `c5` (5 x 5), `f6`, `classes`.

    `classes` is a map of stride 4 with a field of 32 pixels: how much each position looks like each
    digit. A digit's score is the map's mean. Nothing is padded. Takes (N, 3, H, W) in
    the torchvision normalisation, any size from 32 x 32; returns scores (N, num_classes), before
    the softmax.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.grey = nn.Conv2d(3, 1, 1, bias=False)
        self.c1 = _convolution(1, 6, 5)
        self.s2 = nn.AvgPool2d(2)
        self.c3 = _convolution(6, 16, 5)
        self.s4 = nn.AvgPool2d(2)
        self.c5 = _convolution(16, 120, 5)
        self.f6 = _convolution(120, 84, 1)
        self.classes = nn.Conv2d(84, num_classes, 1)
        self.average = nn.AdaptiveAvgPool2d(1)
        _set_grey(self.grey)

    def forward(self, x: Tensor) -> Tensor:
        """Return digit scores (N, num_classes) of normalised pictures (N, 3, H, W)."""
        x = self.s4(self.c3(self.s2(self.c1(self.grey(x)))))
        return torch.flatten(self.average(self.classes(self.f6(self.c5(x)))), 1)


def _convolution(inputs: int, outputs: int, side: int) -> nn.Sequential:
    """Convolution without padding, then ReLU."""
    return nn.Sequential(OrderedDict(conv=nn.Conv2d(inputs, outputs, side), relu=nn.ReLU()))


def _set_grey(layer: nn.Conv2d) -> None:
    """Make the layer weigh normalised colours to grey of about deviation 1, and keep it so."""
    layer.requires_grad_(False)
    scale = sum(LUMA) / DEVIATION[1]
    shares = [luma * deviation * scale for luma, deviation in zip(LUMA, DEVIATION, strict=True)]
    layer.weight.copy_(torch.tensor(shares).view(1, 3, 1, 1))


def lenet5(num_classes: int = CLASS_COUNT) -> LeNet5:
    """Build the network with untrained weights; the trained ones lie beside this module."""
    return LeNet5(num_classes)
