"""Converts between a file's samples and the canvas's normalised colour space.

The normalised space is that of torchvision's classification networks:
(rgb - MEAN) / STD for sRGB-encoded rgb in [0, 1]. Zero is the mean colour.
"""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)

CORRELATION = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))
"""The square root of ImageNet's colour covariance, rows red, green, blue (tensorflow/lucid,
`optvis/param/color.py`).

Its columns are lightness and two hues. In natural pictures these are almost uncorrelated, while
red, green and blue are correlated.
"""

BLACK = tuple((0.0 - mean) / std for mean, std in zip(MEAN, STD, strict=True))
"""The lowest normalised value of each channel."""

WHITE = tuple((1.0 - mean) / std for mean, std in zip(MEAN, STD, strict=True))
"""The highest normalised value of each channel."""


def to_canvas(samples: np.ndarray, dtype: "torch.dtype") -> "torch.Tensor":
    """Convert samples (..., 3) of uint8 or uint16 to normalised values, from BLACK to WHITE.

    Computes in float64 and rounds once to `dtype`. Raises ValueError for other samples.
    """
    if samples.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"samples are uint8 or uint16, not {samples.dtype}")
    # Imported here because torch loads for seconds, and `values_to_samples` does not need it.
    import torch

    rgb = samples / np.float64(np.iinfo(samples.dtype).max)
    return torch.from_numpy((rgb - MEAN) / STD).to(dtype)


_PIXELS_AT_ONCE = 1 << 12
"""Pixels that `to_samples` converts at once. Its float64 values then stay in a core's cache."""


def to_samples(canvas: "torch.Tensor", depth: int) -> np.ndarray:
    """Convert normalised values (..., 3) to samples; see `values_to_samples`."""
    import torch

    values = canvas.detach().cpu()
    if values.dtype not in (torch.float32, torch.float64):
        values = values.double()
    return values_to_samples(values.numpy(), depth)


def values_to_samples(values: np.ndarray, depth: int) -> np.ndarray:
    """Convert normalised values (..., 3) to samples: uint8 for depth 8, uint16 for depth 16.

    Clamps to black and white and rounds half to even, in float64. So no precision is lost beyond
    that of the canvas's dtype. Raises ValueError for another depth.

    values: of float32 or float64.
    """
    if depth not in (8, 16):
        raise ValueError(f"a depth is 8 or 16 bits, not {depth}")
    normalised = np.ascontiguousarray(values).reshape(-1)
    samples = np.empty(normalised.shape, np.uint8 if depth == 8 else np.uint16)
    std, mean = (np.tile(colour, _PIXELS_AT_ONCE) for colour in (STD, MEAN))
    levels, work = 2**depth - 1, np.empty(len(std))
    for first in range(0, len(samples), len(std)):
        some = samples[first : first + len(std)]
        rgb = work[: len(some)]
        rgb[:] = normalised[first : first + len(std)]
        rgb *= std[: len(some)]
        rgb += mean[: len(some)]
        np.clip(rgb, 0.0, 1.0, out=rgb)
        rgb *= levels
        some[:] = np.rint(rgb, out=rgb)
    return samples.reshape(values.shape)
