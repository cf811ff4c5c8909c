"""Previews are small, and the mean of what they show."""

from pathlib import Path

import numpy as np
import pytest
import torch

from render.grid import Grid
from render.mosaic import Mosaic, Slots, TileFile
from render.pictures.colour import to_canvas
from render.preview import LONGEST_SIDE, preview


def flat(size: tuple[int, int], colours: np.ndarray, folder: Path) -> Mosaic:
    """A canvas whose left part has the first of two colours (in 0 to 255), the rest the second."""
    canvas = to_canvas(np.broadcast_to(colours[0], (*size, 3)).astype(np.uint8), torch.float32)
    other = to_canvas(np.broadcast_to(colours[1], (*size, 3)).astype(np.uint8), torch.float32)
    canvas[:, size[1] // 2 :] = other[:, size[1] // 2 :]
    grid = Grid(*size, 200)
    file = TileFile(folder / "canvas", Slots(grid, "float32", tuple(range(len(grid)))))
    file.create()
    for tile in range(len(grid)):
        file.write(tile, canvas[grid.core(tile).slices()].numpy())
    return Mosaic((file.readable(),))


@pytest.mark.parametrize(
    ("size", "small"),
    [((3, 5), (3, 5)), ((10, LONGEST_SIDE), (10, LONGEST_SIDE)), ((20, 2400), (7, 800))],
)
def test_a_preview_is_small_and_looks_the_same(
    tmp_path: Path, size: tuple[int, int], small: tuple[int, int]
) -> None:
    colours = np.array([[10, 200, 30], [250, 1, 128]])
    found = preview(flat(size, colours, tmp_path))
    assert found.dtype == np.uint8
    assert found.shape == (*small, 3)
    assert max(found.shape) <= LONGEST_SIDE
    assert (found[:, 0] == colours[0]).all()
    assert (found[:, -1] == colours[1]).all()
