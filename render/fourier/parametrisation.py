"""The parametrisation of a feature picture: Fourier coefficients of decorrelated colours."""

import math
from functools import cache

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from render.fourier.setup import ViewTransform
from render.geometry.rect import Size
from render.pictures.colour import CORRELATION, MEAN, STD

_DEVIATION = 0.01  # of the coefficients at the start, as in Lucid

_CONTRAST = 0.25  # a factor of the whole picture, as in Lucid


class FourierBasis:
    """A Fourier basis for the three channels of a picture.

    The basis is orthonormal, and each wave is weighted by f ** -decay. f is the frequency in waves
    per pixel, at least one wave per picture. The spectrum of natural pictures falls in the same
    way, so equal steps of all coefficients change the picture equally at every scale
    (tensorflow/lucid, `optvis/param/spatial.py`).
    """

    def __init__(self, size: Size, decay: float, dtype: torch.dtype, device: torch.device) -> None:
        """Compute the weights for pictures of this size (height, width)."""
        self._size = size
        height, width = size
        down = torch.fft.fftfreq(height, dtype=torch.float64)[:, None]
        across = torch.fft.rfftfreq(width, dtype=torch.float64)
        lowest = 1 / max(height, width)
        weights = torch.hypot(down, across).clamp(min=lowest) ** -decay * _CONTRAST
        self._weights = weights.to(device, dtype)

    def random_coefficients(self, seed: int) -> Tensor:
        """Coefficients for the start: (3, height, width // 2 + 1, 2), real and imaginary parts."""
        shape = (3, *self._weights.shape, 2)
        generator = np.random.Generator(np.random.Philox(key=seed))
        normal = torch.from_numpy(generator.standard_normal(shape) * _DEVIATION)
        return normal.to(self._weights.device, self._weights.dtype)

    def picture(self, coefficients: Tensor) -> Tensor:
        """The inverse transform: decorrelated colours, (height, width, 3)."""
        spectrum = torch.view_as_complex(coefficients) * self._weights
        picture: Tensor = torch.fft.irfft2(spectrum, s=self._size, norm="ortho")
        return picture.permute(1, 2, 0)


def decorrelated_to_canvas(decorrelated: Tensor) -> Tensor:
    """Convert decorrelated colours (h, w, 3), any values, to a canvas (h, w, 3).

    Zeros are grey. A sigmoid keeps each colour between black and white.
    """
    to_rgb, mean, deviation = _constants(decorrelated.dtype, decorrelated.device)
    return (torch.sigmoid(decorrelated @ to_rgb) - mean) / deviation


@cache
def _constants(dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """The colour matrix, scaled so that its longest column has length 1; MEAN; and STD."""
    correlation = torch.tensor(CORRELATION, dtype=torch.float64)
    correlation /= torch.linalg.vector_norm(correlation, dim=0).max()
    mean, deviation = torch.tensor(MEAN), torch.tensor(STD)
    return (
        correlation.T.contiguous().to(device, dtype),
        mean.to(device, dtype),
        deviation.to(device, dtype),
    )


def sample_view(picture: Tensor, view: ViewTransform, min_side: int) -> Tensor:
    """Transform a canvas (h, w, 3) with bilinear sampling; zeros lie beyond its borders.

    Each side of the result has at least `min_side` pixels. Shift, scale and rotation are one
    resampling, so nothing is blurred twice; Lucid has two.
    """
    height, width, _ = picture.shape
    sides = view.size((height, width), min_side)
    down, right = (
        torch.arange(side, dtype=picture.dtype, device=picture.device) - (side - 1) / 2 - shift
        for side, shift in zip(sides, (view.down, view.right), strict=True)
    )
    turn = math.radians(view.degrees)
    along, beside = math.cos(turn) / view.scale, math.sin(turn) / view.scale
    rows = down[:, None] * along - right * beside + (height - 1) / 2
    columns = down[:, None] * beside + right * along + (width - 1) / 2
    return _sample_bilinear(picture, rows, columns)


def _sample_bilinear(picture: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """The picture at fractional pixel positions (h, w); the first pixel's centre is 0.

    `grid_sample` is not used: on CUDA its gradient is summed by atomics, in any order.
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


_BETA_1, _BETA_2 = 0.9, 0.999

_EPSILON = 1e-8


class Adam:
    """Gradient ascent by Adam (Kingma and Ba 2015): each value moves by about `rate` per step."""

    def __init__(self, values: Tensor, rate: float) -> None:
        """Steps change `values` in place."""
        self._values, self._rate = values, rate
        self._mean, self._square = torch.zeros_like(values), torch.zeros_like(values)
        self._steps = 0

    def step(self, gradient: Tensor) -> None:
        """Move the values along their gradient."""
        self._steps += 1
        self._mean.lerp_(gradient, 1 - _BETA_1)
        self._square.mul_(_BETA_2).addcmul_(gradient, gradient, value=1 - _BETA_2)
        spread = (self._square / (1 - _BETA_2**self._steps)).sqrt_().add_(_EPSILON)
        self._values.addcdiv_(self._mean, spread, value=self._rate / (1 - _BETA_1**self._steps))
