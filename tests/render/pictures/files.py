"""Pictures that tests write and read."""

from pathlib import Path

import numpy as np

from render.pictures.source import open_picture


def gradient(height: int, width: int, depth: int = 8) -> np.ndarray:
    """A smooth colour picture (height, width, 3), different in every row and column."""
    y, x = np.mgrid[0:height, 0:width]
    planes: np.ndarray = np.stack([x / width, y / height, (x + y) / (width + height)], axis=-1)
    values: np.ndarray = planes * (2**depth - 1)
    return values.astype(np.uint8 if depth == 8 else np.uint16)


def noise(height: int, width: int, depth: int = 8) -> np.ndarray:
    """A seeded random picture (height, width, 3), which no encoder can shrink."""
    values = np.random.default_rng(7).integers(0, 2**depth, (height, width, 3))
    return values.astype(np.uint8 if depth == 8 else np.uint16)


def read(path: Path, rows: int = 64) -> np.ndarray:
    """The whole picture, through its bands."""
    return np.concatenate(list(open_picture(path).bands(rows)))
