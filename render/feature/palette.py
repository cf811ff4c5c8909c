"""Decorrelated colours, and the canvas's normalised space."""

from functools import cache

import torch
from torch import Tensor

from render.pictures.colour import MEAN, STD

_CORRELATION = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))
"""The square root of ImageNet's colour covariance (tensorflow/lucid, `optvis/param/color.py`).

Its columns are lightness and two hues; in natural pictures they hardly tell of each other, where
red, green and blue rise and fall together.
"""


def coloured(decorrelated: Tensor) -> Tensor:
    """Any values (h, w, 3) of three decorrelated channels as a canvas (h, w, 3).

    Zeros are grey; a sigmoid keeps each colour between black and white.
    """
    towards_rgb, mean, deviation = _constants(decorrelated.dtype, decorrelated.device)
    return (torch.sigmoid(decorrelated @ towards_rgb) - mean) / deviation


@cache
def _constants(dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """The matrix, its longest column of length 1, and the normalisation, sent to a device once."""
    correlation = torch.tensor(_CORRELATION, dtype=torch.float64)
    correlation /= torch.linalg.vector_norm(correlation, dim=0).max()
    mean, deviation = torch.tensor(MEAN), torch.tensor(STD)
    return (
        correlation.T.contiguous().to(device, dtype),
        mean.to(device, dtype),
        deviation.to(device, dtype),
    )
