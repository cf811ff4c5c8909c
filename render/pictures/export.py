"""A committed canvas as samples, in bands: what outputs are encoded from."""

import math
from collections.abc import Iterator

import numpy as np
import torch

from render.geometry.rect import Rect
from render.pictures.colour import to_samples
from render.pictures.tiled_image import Mosaic

_BAND_PIXELS_outtake = (
    1 << 20
)  # 12 MiB of float32; samples are computed in float64, in several copies


def bands(canvas: Mosaic, depth: int) -> Iterator[np.ndarray]:
    """(h, width, 3) of uint8 or uint16, from top to bottom."""
    grid = canvas.grid
    rows = max(1, _BAND_PIXELS_outtake // grid.width)
    for top in range(0, grid.height, rows):
        rect = Rect(top, 0, min(top + rows, grid.height), grid.width)
        yield to_samples(torch.from_numpy(canvas.read(rect)), depth)


LONGEST_SIDE = 1024
"""Pixels of a preview, at most."""


_BAND_PIXELS = 1 << 20  # 12 MiB of float32


def preview(canvas: Mosaic) -> np.ndarray:
    """(h, w, 3) of uint8: each pixel the mean of a square of the canvas, cut off at the borders.

    Reads many rows of squares at a time: of tiles that were made elsewhere, each read is a request.
    """
    grid = canvas.grid
    square = math.ceil(max(grid.height, grid.width) / LONGEST_SIDE)
    height = max(1, _BAND_PIXELS // (grid.width * square)) * square
    bands = (
        canvas.read(Rect(top, 0, min(top + height, grid.height), grid.width))
        for top in range(0, grid.height, height)
    )
    rows = [
        _row(band[top : top + square], square)
        for band in bands
        for top in range(0, len(band), square)
    ]
    return to_samples(torch.from_numpy(np.stack(rows)), depth=8)


def _row(band: np.ndarray, square: int) -> np.ndarray:
    """One row of squares as one row of pixels."""
    width = band.shape[1]
    starts = np.arange(0, width, square)
    counts = np.diff(np.append(starts, width))
    sums = np.add.reduceat(band.sum(axis=0, dtype=np.float64), starts, axis=0)
    means: np.ndarray = sums / (counts * len(band)).reshape(-1, 1)
    return means
