"""GoogLeNet as it was in 2014 and 2015, with the layer names that people know.

Szegedy et al., "Going Deeper with Convolutions" (CVPR 2015). `bvlc_googlenet` is the network of
Caffe's model zoo, which Google's DeepDream notebook of 2015 used. `inception5h` is Google's own,
which Lucid used. torchvision's `googlenet` is another network, with batch normalisation.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from render.networks.caffe_layers import (
    Concatenation,
    ConvolutionReLU,
    LocalResponseNorm,
    ceil_pool,
)
from render.networks.normalisation import CAFFE, INCEPTION5H

Widths = tuple[int, int, int, int, int, int]
"""Channels of an inception block: 1x1, 3x3 reduced, 3x3, 5x5 reduced, 5x5, pool projection."""

_WIDTHS: dict[str, Widths] = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


@dataclass(frozen=True)
class _Names:
    """Names of one edition's layers. `block` and `branches` make up those of inception blocks.

    stem: three convolutions. norms, pools: in order. output: what a block's concatenation is
    called after its name. head: the average and the classifier.
    """

    stem: tuple[str, str, str]
    norms: tuple[str, str]
    pools: tuple[str, str, str, str]
    block: str
    branches: tuple[str, str, str, str, str, str, str]
    output: str
    head: tuple[str, str]


_CAFFE_NAMES = _Names(
    ("conv1/7x7_s2", "conv2/3x3_reduce", "conv2/3x3"),
    ("pool1/norm1", "conv2/norm2"),
    ("pool1/3x3_s2", "pool2/3x3_s2", "pool3/3x3_s2", "pool4/3x3_s2"),
    "inception_",
    ("/1x1", "/3x3_reduce", "/3x3", "/5x5_reduce", "/5x5", "/pool", "/pool_proj"),
    "/output",
    ("pool5/7x7_s1", "loss3/classifier"),
)

_TENSORFLOW_NAMES = _Names(
    ("conv2d0", "conv2d1", "conv2d2"),
    ("localresponsenorm0", "localresponsenorm1"),
    ("maxpool0", "maxpool1", "maxpool4", "maxpool10"),
    "mixed",
    ("_1x1", "_3x3_bottleneck", "_3x3", "_5x5_bottleneck", "_5x5", "_pool", "_pool_reduce"),
    "",
    ("avgpool0", "softmax2"),
)


def _tensorflow_norm() -> LocalResponseNorm:
    """The norm of the graph: depth_radius 5, bias 2, alpha 1e-4, beta 0.5.

    TensorFlow does not divide alpha by the size, and counts the radius on each side. Conversions to
    PyTorch that have a size of 9 and k = 1 are not the same.
    """
    return LocalResponseNorm(11, 11 * 1e-4, 0.5, k=2.0)


class InceptionV1(nn.Module):
    """GoogLeNet with local response normalisation and 5 x 5 convolutions.

    A convolution's layer is its output after ReLU, as in Caffe; `<layer>.conv` is before it.

    Input: (N, 3, H, W) in the convention `input_convention`. Output: scores before the softmax,
    (N, classes).
    """

    input_convention: str

    def __init__(self, names: _Names, widths: dict[str, Widths], classes: int) -> None:
        super().__init__()
        self.names, self.blocks = names, tuple(widths)
        self._add_stem()
        inputs = 192
        for block, width in widths.items():
            self._add_block(block, inputs, width)
            inputs = width[0] + width[2] + width[4] + width[5]
        for pool in names.pools:
            self.add_module(pool, ceil_pool())
        self.add_module(names.head[0], nn.AdaptiveAvgPool2d(1))
        self.add_module(names.head[1], nn.Linear(inputs, classes))

    def _add_stem(self) -> None:
        first, second, third = self.names.stem
        is_caffe = self.names is _CAFFE_NAMES
        # TensorFlow pads an even picture by two pixels before and by three after it.
        self.add_module(first, ConvolutionReLU((3, 64), 7, 2, 3 if is_caffe else (2, 3, 2, 3)))
        self.add_module(second, ConvolutionReLU((64, 64), 1))
        self.add_module(third, ConvolutionReLU((64, 192), 3))
        for norm in self.names.norms:
            self.add_module(
                norm, LocalResponseNorm(5, 1e-4, 0.75) if is_caffe else _tensorflow_norm()
            )

    def _add_block(self, block: str, inputs: int, width: Widths) -> None:
        prefix = self.names.block + block
        point, near_in, near, far_in, far, pool, projected = self.names.branches
        self.add_module(prefix + point, ConvolutionReLU((inputs, width[0]), 1))
        self.add_module(prefix + near_in, ConvolutionReLU((inputs, width[1]), 1))
        self.add_module(prefix + near, ConvolutionReLU((width[1], width[2]), 3))
        self.add_module(prefix + far_in, ConvolutionReLU((inputs, width[3]), 1))
        self.add_module(prefix + far, ConvolutionReLU((width[3], width[4]), 5))
        self.add_module(prefix + pool, nn.MaxPool2d(3, stride=1, padding=1))
        self.add_module(prefix + projected, ConvolutionReLU((inputs, width[5]), 1))
        self.add_module(prefix + self.names.output, Concatenation())

    def forward(self, x: Tensor) -> Tensor:
        """Return class scores (N, classes) of pictures (N, 3, H, W)."""
        first, second, third = self.names.stem
        pool1, pool2, pool3, pool4 = self.names.pools
        x = self._run(pool1, self._run(first, x))
        x = self._run(second, self._run(self.names.norms[0], x))
        x = self._run(pool2, self._run(self.names.norms[1], self._run(third, x)))
        for block in self.blocks:
            x = self._run(pool3 if block == "4a" else pool4, x) if block in ("4a", "5a") else x
            x = self._inception(self.names.block + block, x)
        average, classifier = self.names.head
        return self._run(classifier, torch.flatten(self._run(average, x), 1))

    def _inception(self, prefix: str, x: Tensor) -> Tensor:
        point, near_in, near, far_in, far, pool, projected = (
            prefix + branch for branch in self.names.branches
        )
        parts = (
            self._run(point, x),
            self._run(near, self._run(near_in, x)),
            self._run(far, self._run(far_in, x)),
            self._run(projected, self._run(pool, x)),
        )
        return self._run(prefix + self.names.output, *parts)

    def _run(self, name: str, *inputs: Tensor) -> Tensor:
        out: Tensor = getattr(self, name)(*inputs)
        return out


def bvlc_googlenet(classes: int = 1000) -> InceptionV1:
    """Build Caffe's GoogLeNet with untrained weights."""
    network = InceptionV1(_CAFFE_NAMES, _WIDTHS, classes)
    network.input_convention = CAFFE
    return network


def inception5h(classes: int = 1008) -> InceptionV1:
    """Build TensorFlow's network of 2015 with untrained weights."""
    widths = _WIDTHS | {
        "4a": (192, 96, 204, 16, 48, 64),
        "5a": (256, 160, 320, 48, 128, 128),
    }
    network = InceptionV1(_TENSORFLOW_NAMES, widths, classes)
    network.input_convention = INCEPTION5H
    return network
