"""How networks expect their input: the order of channels, the mean and the scale.

Pictures are in torchvision's normalisation everywhere (`render.pictures.colour`). `graph.trace`
puts an InputConversion before a network that expects anything else.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
"""Those of `render.pictures.colour`, for red, green and blue."""

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in grey (ITU-R BT.601)."""


@dataclass(frozen=True)
class InputConvention:
    """What a network expects: (levels - mean) * scale, for levels from 0 to 255.

    order: `rgb`, `bgr`, or `grey` for one channel.
    mean: of each channel, in that order, in levels.
    scale: applied after the mean.
    """

    order: str
    mean: tuple[float, ...]
    scale: float = 1.0


TORCHVISION = "torchvision"
"""The name of the convention that needs no conversion."""

CAFFE = "caffe"
CAFFE_VGG = "caffe_vgg"
CAFFE_LENET = "caffe_lenet"
INCEPTION5H = "inception5h"
GREY = "grey"

CONVENTIONS = {
    CAFFE: InputConvention("bgr", (104.0, 117.0, 123.0)),
    "notebook_2015": InputConvention("bgr", (104.0, 116.0, 122.0)),
    CAFFE_VGG: InputConvention("bgr", (103.939, 116.779, 123.68)),
    CAFFE_LENET: InputConvention("grey", (0.0,), 1 / 256),
    INCEPTION5H: InputConvention("rgb", (117.0, 117.0, 117.0)),
    GREY: InputConvention("grey", (0.0,), 1 / 255),
    "unit": InputConvention("rgb", (0.0, 0.0, 0.0), 1 / 255),
    "symmetric": InputConvention("rgb", (127.5, 127.5, 127.5), 1 / 127.5),
    "levels": InputConvention("rgb", (0.0, 0.0, 0.0)),
}
"""All conventions but torchvision's. A weights file can name one (metadata `input_convention`)."""

CONVENTION_ATTRIBUTE = "input_convention"
"""The attribute of a network that names its convention; without it, it is torchvision's."""


class InputConversion(nn.Module):
    """Converts (N, 3, H, W) in torchvision's normalisation to another convention.

    It has no tensors, so it works on every device and in every dtype. bfloat16 is computed in
    float32 and rounded once.
    """

    def __init__(self, convention: InputConvention) -> None:
        super().__init__()
        levels = [(255.0 * std, 255.0 * mean) for std, mean in zip(STD, MEAN, strict=True)]
        self.convention = convention
        self.channels = len(convention.mean)
        self._rows = _rows(convention, levels)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, channels, H, W) in the convention of the network."""
        wide = x.float() if x.dtype == torch.bfloat16 else x
        made = [_weighted(wide, factors) + offset for factors, offset in self._rows]
        out = torch.stack(made, 1).to(x.dtype)
        return out.contiguous(memory_format=torch.channels_last)


def _rows(
    convention: InputConvention, levels: list[tuple[float, float]]
) -> list[tuple[dict[int, float], float]]:
    """For each channel of the result: the factors of red, green and blue, and an offset."""
    if convention.order == "grey":
        weights = [dict(enumerate(LUMA))]
    else:
        indices = (0, 1, 2) if convention.order == "rgb" else (2, 1, 0)
        weights = [{index: 1.0} for index in indices]
    rows = []
    for mixed, mean in zip(weights, convention.mean, strict=True):
        factors = {i: weight * levels[i][0] * convention.scale for i, weight in mixed.items()}
        base = sum(weight * levels[i][1] for i, weight in mixed.items())
        rows.append((factors, (base - mean) * convention.scale))
    return rows


def _weighted(x: Tensor, factors: dict[int, float]) -> Tensor:
    """The weighted sum of channels: (N, H, W)."""
    first, *others = factors.items()
    total = x[:, first[0]] * first[1]
    for index, factor in others:
        total = total + x[:, index] * factor
    return total


def input_conversion(network: nn.Module) -> InputConversion | None:
    """Return the conversion that a network needs before it, or None for torchvision's input."""
    named = getattr(network, CONVENTION_ATTRIBUTE, TORCHVISION)
    return None if named == TORCHVISION else InputConversion(CONVENTIONS[named])
