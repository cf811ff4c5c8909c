"""A picture as Fourier coefficients."""

import math
from functools import cache

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from render.fourier.setup import ViewTransform
from render.geometry.rect import Size
from render.pictures.colour import CORRELATION, MEAN, STD

_DEVIATION = 0.01  # of the coefficients at the start, and

_CONTRAST = 0.25  # what the picture is multiplied by, both as in Lucid


class FourierBasis:
    """Three channels of a picture of some size, each a sum of waves of every frequency.

    The basis is orthonormal, and each wave is weighted by 1 / f ** decay, f in waves a pixel and
    at least one wave a picture: steps of one length for all coefficients then change the picture
    as much at every scale, as natural pictures vary (tensorflow/lucid, `optvis/param/spatial.py`).
    """

    def __init__(self, size: Size, decay: float, dtype: torch.dtype, device: torch.device) -> None:
        """Weigh the waves of pictures of that size."""
        self._size = size
        height, width = size
        down = torch.fft.fftfreq(height, dtype=torch.float64)[:, None]
        across = torch.fft.rfftfreq(width, dtype=torch.float64)
        lowest = 1 / max(height, width)
        weights = torch.hypot(down, across).clamp(min=lowest) ** -decay * _CONTRAST
        self._weights = weights.to(device, dtype)

    def drawn(self, seed: int) -> Tensor:
        """Seeded coefficients to begin with: (3, height, width // 2 + 1, 2), real and imaginary."""
        shape = (3, *self._weights.shape, 2)
        generator = np.random.Generator(np.random.Philox(key=seed))
        normal = torch.from_numpy(generator.standard_normal(shape) * _DEVIATION)
        return normal.to(self._weights.device, self._weights.dtype)

    def summed(self, coefficients: Tensor) -> Tensor:
        """The picture that such coefficients stand for, (height, width, 3)."""
        spectrum = torch.view_as_complex(coefficients) * self._weights
        picture: Tensor = torch.fft.irfft2(spectrum, s=self._size, norm="ortho")
        return picture.permute(1, 2, 0)


def decorrelated_to_canvas(decorrelated: Tensor) -> Tensor:
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


def sample_view(picture: Tensor, view: ViewTransform, least: int) -> Tensor:
    """What a view shows of a canvas (h, w, 3): bilinear, zeros beyond the borders.

    Shift, scale and turn are one resampling, where Lucid has two: nothing is blurred twice.
    """
    height, width, _ = picture.shape
    sides = view.size((height, width), least)
    down, right = (
        torch.arange(side, dtype=picture.dtype, device=picture.device) - (side - 1) / 2 - shift
        for side, shift in zip(sides, (view.down, view.right), strict=True)
    )
    turn = math.radians(view.degrees)
    along, beside = math.cos(turn) / view.scale, math.sin(turn) / view.scale
    rows = down[:, None] * along - right * beside + (height - 1) / 2
    columns = down[:, None] * beside + right * along + (width - 1) / 2
    return _between(picture, rows, columns)


def _between(picture: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """The picture at positions (h, w) between its pixels, from the middle of the first.

    Not grid_sample: its gradient is added up by atomics on CUDA, in any order.
    """
    padded = pad(picture, (0, 0, 1, 1, 1, 1))
    height, width, _ = padded.shape
    rows, columns = (rows + 1).clamp(0, height - 1), (columns + 1).clamp(0, width - 1)
    top, left = rows.floor().clamp(max=height - 2), columns.floor().clamp(max=width - 2)
    lower, later = (rows - top)[..., None], (columns - left)[..., None]
    corner = top.long() * width + left.long()
    pixels = padded.flatten(0, 1)
    above = pixels[corner] * (1 - later) + pixels[corner + 1] * later
    below = pixels[corner + width] * (1 - later) + pixels[corner + width + 1] * later
    return above * (1 - lower) + below * lower


_FIRST, _SECOND = 0.9, 0.999

_LEAST = 1e-8


class Adam:
    """Climbs: moves values along their gradients, each by about `rate` a step."""

    def __init__(self, values: Tensor, rate: float) -> None:
        """`values` are changed in place."""
        self._values, self._rate = values, rate
        self._mean, self._square = torch.zeros_like(values), torch.zeros_like(values)
        self._steps = 0

    def step(self, gradient: Tensor) -> None:
        """One step."""
        self._steps += 1
        self._mean.lerp_(gradient, 1 - _FIRST)
        self._square.mul_(_SECOND).addcmul_(gradient, gradient, value=1 - _SECOND)
        spread = (self._square / (1 - _SECOND**self._steps)).sqrt_().add_(_LEAST)
        self._values.addcdiv_(self._mean, spread, value=self._rate / (1 - _FIRST**self._steps))
