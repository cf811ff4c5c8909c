"""CaffeNet and Caffe's LeNet, with Caffe's layer names."""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from render.networks.caffe_layers import (
    ConvolutionReLU,
    LinearReLU,
    LocalResponseNorm,
    ceil_pool,
)
from render.networks.normalisation import CAFFE, CAFFE_LENET

_Layers = OrderedDict[str, nn.Module]


class _FeaturesThenHead(nn.Module):
    """Runs `features` in order, pools to a fixed grid, flattens, and runs `head` in order."""

    input_convention: str

    def __init__(self, features: _Layers, grid: int, head: _Layers) -> None:
        super().__init__()
        self.feature_layers, self.head_layers = tuple(features), tuple(head)
        for name, layer in features.items():
            self.add_module(name, layer)
        self.grid = nn.AdaptiveAvgPool2d(grid)
        for name, layer in head.items():
            self.add_module(name, layer)

    def forward(self, x: Tensor) -> Tensor:
        """Return scores before the softmax (N, classes) of pictures (N, C, H, W)."""
        for name in self.feature_layers:
            x = getattr(self, name)(x)
        x = torch.flatten(self.grid(x), 1)
        for name in self.head_layers:
            x = getattr(self, name)(x)
        return x


def caffenet(classes: int = 1000) -> nn.Module:
    """Build `bvlc_reference_caffenet` with untrained weights: AlexNet with pools before the norms.

    Krizhevsky, Sutskever and Hinton, "ImageNet Classification with Deep Convolutional Neural
    Networks" (NeurIPS 2012). A picture of 227 pixels gives a grid of 6 x 6 features.
    """
    features: _Layers = OrderedDict(
        conv1=ConvolutionReLU((3, 96), 11, 4, 0),
        pool1=ceil_pool(),
        norm1=LocalResponseNorm(5, 1e-4, 0.75),
        conv2=ConvolutionReLU((96, 256), 5, groups=2),
        pool2=ceil_pool(),
        norm2=LocalResponseNorm(5, 1e-4, 0.75),
        conv3=ConvolutionReLU((256, 384), 3),
        conv4=ConvolutionReLU((384, 384), 3, groups=2),
        conv5=ConvolutionReLU((384, 256), 3, groups=2),
        pool5=ceil_pool(),
    )
    head: _Layers = OrderedDict(
        fc6=LinearReLU(256 * 6 * 6, 4096), fc7=LinearReLU(4096, 4096), fc8=nn.Linear(4096, classes)
    )
    network = _FeaturesThenHead(features, 6, head)
    network.input_convention = CAFFE
    return network


def caffe_lenet(classes: int = 10) -> nn.Module:
    """Build the LeNet of Caffe's MNIST example with untrained weights.

    Digits are white on black, 20 pixels high in a picture of 28 x 28. Such a picture gives a grid
    of 4 x 4 features.
    """
    features: _Layers = OrderedDict(
        conv1=nn.Conv2d(1, 20, 5),
        pool1=nn.MaxPool2d(2, ceil_mode=True),
        conv2=nn.Conv2d(20, 50, 5),
        pool2=nn.MaxPool2d(2, ceil_mode=True),
    )
    head: _Layers = OrderedDict(ip1=LinearReLU(50 * 4 * 4, 500), ip2=nn.Linear(500, classes))
    network = _FeaturesThenHead(features, 4, head)
    network.input_convention = CAFFE_LENET
    return network
