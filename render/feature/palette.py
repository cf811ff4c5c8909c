"""Decorrelated colours, and the canvas's normalised space."""

from functools import cache

import torch
from torch import Tensor

from render.pictures.colour import CORRELATION, MEAN, STD


def coloured(decorrelated: Tensor) -> Tensor:
    """Any values (h, w, 3) of three decorrelated channels as a canvas (h, w, 3).

    Zeros are grey; a sigmoid keeps each colour between black and white.
    """
    towards_rgb, mean, deviation = _constants(decorrelated.dtype, decorrelated.device)
    return (torch.sigmoid(decorrelated @ towards_rgb) - mean) / deviation


@cache
def _constants(dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """The matrix, its longest column of length 1, and the normalisation, sent to a device once."""
    correlation = torch.tensor(CORRELATION, dtype=torch.float64)
    correlation /= torch.linalg.vector_norm(correlation, dim=0).max()
    mean, deviation = torch.tensor(MEAN), torch.tensor(STD)
    return (
        correlation.T.contiguous().to(device, dtype),
        mean.to(device, dtype),
        deviation.to(device, dtype),
    )
