"""A committed canvas as samples, in bands: what outputs are encoded from."""

from collections.abc import Iterator

import numpy as np
import torch

from render.mosaic import Mosaic
from render.pictures.colour import to_samples
from render.rect import Rect

_BAND_PIXELS = 1 << 20  # 12 MiB of float32; samples are computed in float64, in several copies


def bands(canvas: Mosaic, depth: int) -> Iterator[np.ndarray]:
    """(h, width, 3) of uint8 or uint16, from top to bottom."""
    grid = canvas.grid
    rows = max(1, _BAND_PIXELS // grid.width)
    for top in range(0, grid.height, rows):
        rect = Rect(top, 0, min(top + rows, grid.height), grid.width)
        yield to_samples(torch.from_numpy(canvas.read(rect)), depth)
