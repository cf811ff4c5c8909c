"""The smaller sizes of a picture are means of squares, whatever the strips."""

import itertools

import numpy as np
import pytest

from render.geometry.rect import Size
from render.pictures.bands import BandStream
from render.pictures.pyramid import pyramid_strips
from tests.support.picture_files import noise_samples


def _levels(picture: np.ndarray, sizes: list[Size], rows: int, overlap: int) -> list[np.ndarray]:
    """The levels, put together from strips without their overlap."""
    levels = [np.zeros((*size, 3), picture.dtype) for size in sizes]
    height, width = sizes[0]
    stream = BandStream(height, width, picture.itemsize * 8, [picture])
    for strip in pyramid_strips(stream, sizes, rows, overlap):
        top = max(0, strip.row * rows - overlap)
        bottom = min((strip.row + 1) * rows + overlap, sizes[strip.level][0])
        assert (strip.top, strip.samples.shape) == (top, (bottom - top, sizes[strip.level][1], 3))
        levels[strip.level][top:bottom] = strip.samples
    return levels


def _half(picture: np.ndarray, size: Size) -> np.ndarray:
    """The same by definition, pixel by pixel."""
    half = np.empty((*size, 3), picture.dtype)
    for y in range(size[0]):
        for x in range(size[1]):
            square = picture[[2 * y, min(2 * y + 1, len(picture) - 1)]].astype(np.int64)
            square = square[:, [2 * x, min(2 * x + 1, picture.shape[1] - 1)]]
            half[y, x] = (square.sum(axis=(0, 1)) + 2) // 4
    return half


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (37, 20), (64, 31), (65, 33)])
@pytest.mark.parametrize(("rows", "overlap"), [(4, 0), (6, 1), (16, 1), (100, 0)])
@pytest.mark.parametrize("rounds_up", [False, True])
def test_each_pixel_is_the_mean_of_its_square(
    depth: int, size: Size, rows: int, overlap: int, rounds_up: bool
) -> None:
    picture = noise_samples(*size, depth)
    sizes = [size]
    while max(sizes[-1]) > 1:
        height, width = ((side + rounds_up) // 2 for side in sizes[-1])
        sizes.append((max(1, height), max(1, width)))
    levels = _levels(picture, sizes, rows, overlap)
    np.testing.assert_array_equal(levels[0], picture)
    for before, level in itertools.pairwise(levels):
        np.testing.assert_array_equal(level, _half(before, (level.shape[0], level.shape[1])))
