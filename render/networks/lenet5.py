"""LeNet-5, trained on synthetic digits.

LeCun, Bottou, Bengio and Haffner, "Gradient-Based Learning Applied to Document Recognition"
(Proceedings of the IEEE, 1998). As in the paper, C5 is a 5 x 5 convolution, so the network reads
pictures of any size (the paper's "space displacement network").

Differences from the paper: C3 reads all maps of S2. Subsampling has no weights. ReLU replaces the
scaled tanh, because saturated units give dreams no gradient. A linear layer replaces the radial
basis functions. The first layer converts colours to grey.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from render.networks.normalisation import LUMA, STD

CLASS_COUNT = 10


class LeNet5(nn.Module):
    """LeNet-5 as a fully convolutional network, without padding.

    Its layers are `c1` and `c3` (5 x 5), `s2` and `s4` (pooling by 2), `c5` (5 x 5), `f6` and
    `classes`. `classes` is a map with stride 4 and a receptive field of 32 pixels. A digit's score
    is the mean of its map.

    Input: (N, 3, H, W) in torchvision's normalisation, at least 32 x 32. Output: scores before the
    softmax, (N, num_classes).
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
    """Set and freeze weights that turn normalised colours to grey with a deviation of about 1."""
    layer.requires_grad_(False)
    scale = sum(LUMA) / STD[1]
    weights = [luma * deviation * scale for luma, deviation in zip(LUMA, STD, strict=True)]
    layer.weight.copy_(torch.tensor(weights).view(1, 3, 1, 1))


def lenet5(num_classes: int = CLASS_COUNT) -> LeNet5:
    """Build the network with untrained weights."""
    return LeNet5(num_classes)
