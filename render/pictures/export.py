"""Reads a committed canvas for its outputs: full-size bands of samples, and a small preview."""

import functools
import math
from collections.abc import Iterator

import numpy as np
import torch

from render.geometry.rect import Rect
from render.pictures.bands import encoders
from render.pictures.colour import to_samples
from render.pictures.tiled_image import TiledImage

MAX_PREVIEW_SIDE = 1024
"""Longest side of a preview, in pixels."""

_BAND_PIXELS = 1 << 20  # 12 MiB of float32


def export_bands(canvas: TiledImage, depth: int, threads: int = 1) -> Iterator[np.ndarray]:
    """Yield bands (h, width, 3) of uint8 (depth 8) or uint16 (depth 16) from top to bottom.

    threads: that read and convert bands ahead.
    """
    grid = canvas.grid
    rows = max(1, _BAND_PIXELS // grid.width)

    def band(top: int) -> np.ndarray:
        rect = Rect(top, 0, min(top + rows, grid.height), grid.width)
        return to_samples(torch.from_numpy(canvas.read(rect)), depth)

    tops = range(0, grid.height, rows)
    with encoders(threads) as pool:
        yield from pool.ordered(functools.partial(band, top) for top in tops)


def preview(canvas: TiledImage) -> np.ndarray:
    """Return a preview (h, w, 3) of uint8. Each pixel is the mean of a square of the canvas.

    Reads many rows at a time, because each read of a tile in a store is a request.
    """
    grid = canvas.grid
    square = math.ceil(max(grid.height, grid.width) / MAX_PREVIEW_SIDE)
    height = max(1, _BAND_PIXELS // (grid.width * square)) * square
    bands = (
        canvas.read(Rect(top, 0, min(top + height, grid.height), grid.width))
        for top in range(0, grid.height, height)
    )
    rows = [
        _mean_row(band[top : top + square], square)
        for band in bands
        for top in range(0, len(band), square)
    ]
    return to_samples(torch.from_numpy(np.stack(rows)), depth=8)


def _mean_row(band: np.ndarray, square: int) -> np.ndarray:
    """Average one row of squares to one row of pixels."""
    width = band.shape[1]
    starts = np.arange(0, width, square)
    counts = np.diff(np.append(starts, width))
    sums = np.add.reduceat(band.sum(axis=0, dtype=np.float64), starts, axis=0)
    means: np.ndarray = sums / (counts * len(band)).reshape(-1, 1)
    return means
