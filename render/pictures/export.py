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


def export_bands(
    canvas: TiledImage, depth: int, threads: int = 1, part: Rect | None = None
) -> Iterator[np.ndarray]:
    """Yield bands (h, width, 3) of uint8 (depth 8) or uint16 (depth 16) from top to bottom.

    threads: that read and convert bands ahead. part: what to export, None for all; beyond the
    canvas it shows the mirrored canvas.
    """
    grid = canvas.grid
    whole = Rect(0, 0, grid.height, grid.width) if part is None else part
    rows = max(1, _BAND_PIXELS // whole.width)

    def band(top: int) -> np.ndarray:
        rect = Rect(top, whole.left, min(top + rows, whole.bottom), whole.right)
        return to_samples(torch.from_numpy(_read_mirrored(canvas, rect)), depth)

    tops = range(whole.top, whole.bottom, rows)
    with encoders(threads) as pool:
        yield from pool.ordered(functools.partial(band, top) for top in tops)


def _read_mirrored(canvas: TiledImage, rect: Rect) -> np.ndarray:
    """Read a rectangle that may lie outside the canvas, which is mirrored at its borders."""
    if rect.intersect(canvas.grid.whole) == rect:
        return canvas.read(rect)
    rows = _mirrored(rect.top, rect.bottom, canvas.grid.height)
    columns = _mirrored(rect.left, rect.right, canvas.grid.width)
    inside = Rect(rows.min(), columns.min(), rows.max() + 1, columns.max() + 1)
    pixels: np.ndarray = canvas.read(inside)[rows - inside.top][:, columns - inside.left]
    return pixels


def _mirrored(start: int, end: int, size: int) -> np.ndarray:
    """The places in [0, size) that positions have if 0 to size - 1 is mirrored at both ends."""
    places = np.arange(start, end) % (2 * size)
    return np.minimum(places, 2 * size - 1 - places)


def preview(canvas: TiledImage, max_side: int = MAX_PREVIEW_SIDE) -> np.ndarray:
    """Return a preview (h, w, 3) of uint8. Each pixel is the mean of a square of the canvas.

    Reads many rows at a time, because each read of a tile in a store is a request.
    """
    grid = canvas.grid
    square = math.ceil(max(grid.height, grid.width) / max_side)
    height = max(1, _BAND_PIXELS // (grid.width * square)) * square
    bands = (
        canvas.read(Rect(top, 0, min(top + height, grid.height), grid.width))
        for top in range(0, grid.height, height)
    )
    return np.concatenate([_mean_rows(band, square) for band in bands])


def _mean_rows(band: np.ndarray, square: int) -> np.ndarray:
    """Average each row of squares to a row of samples."""
    tops = range(0, len(band), square)
    rows = [_mean_row(band[top : top + square], square) for top in tops]
    return to_samples(torch.from_numpy(np.stack(rows)), depth=8)


def _mean_row(band: np.ndarray, square: int) -> np.ndarray:
    """Average one row of squares to one row of pixels."""
    width = band.shape[1]
    starts = np.arange(0, width, square)
    counts = np.diff(np.append(starts, width))
    sums = np.add.reduceat(band.sum(axis=0, dtype=np.float64), starts, axis=0)
    means: np.ndarray = sums / (counts * len(band)).reshape(-1, 1)
    return means
