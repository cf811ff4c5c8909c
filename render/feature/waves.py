"""A picture as Fourier coefficients."""

import numpy as np
import torch
from torch import Tensor

from render.rect import Size

_DEVIATION = 0.01  # of the coefficients at the start, and
_CONTRAST = 0.25  # what the picture is multiplied by, both as in Lucid


class Waves:
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
