"""Previews are small, and their pixels are means of the canvas."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from render.geometry.grid import Grid
from render.pictures.colour import to_canvas
from render.pictures.export import MAX_PREVIEW_SIDE, preview
from render.pictures.tiled_image import ByteSource, TiledImage, TileFile, TileLayout


def flat(size: tuple[int, int], colours: np.ndarray, folder: Path) -> TiledImage:
    """A canvas whose left part has the first of two colours (in 0 to 255), the rest the second."""
    canvas = to_canvas(np.broadcast_to(colours[0], (*size, 3)).astype(np.uint8), torch.float32)
    other = to_canvas(np.broadcast_to(colours[1], (*size, 3)).astype(np.uint8), torch.float32)
    canvas[:, size[1] // 2 :] = other[:, size[1] // 2 :]
    grid = Grid(*size, 200)
    file = TileFile(folder / "canvas", TileLayout(grid, "float32", tuple(range(len(grid)))))
    file.create()
    for tile in range(len(grid)):
        file.write(tile, canvas[grid.core(tile).slices()].numpy())
    return TiledImage((file.as_tile_set(),))


@pytest.mark.parametrize(
    ("size", "small"),
    [((3, 5), (3, 5)), ((10, MAX_PREVIEW_SIDE), (10, MAX_PREVIEW_SIDE)), ((20, 2400), (7, 800))],
)
def test_a_preview_is_small_and_looks_the_same(
    tmp_path: Path, size: tuple[int, int], small: tuple[int, int]
) -> None:
    colours = np.array([[10, 200, 30], [250, 1, 128]])
    found = preview(flat(size, colours, tmp_path))
    assert found.dtype == np.uint8
    assert found.shape == (*small, 3)
    assert max(found.shape) <= MAX_PREVIEW_SIDE
    assert (found[:, 0] == colours[0]).all()
    assert (found[:, -1] == colours[1]).all()


class CountingByteSource:
    """Counts its reads."""

    def __init__(self, source: ByteSource) -> None:
        self._source, self.reads = source, 0

    @property
    def name(self) -> str:
        return self._source.name

    def read(self, start: int, length: int) -> bytes:
        self.reads += 1
        return self._source.read(start, length)

    def read_again(self, start: int, length: int) -> bytes:
        raise AssertionError("nothing is damaged")


def test_each_tile_of_a_small_picture_is_read_once(tmp_path: Path) -> None:
    canvas = flat((700, 900), np.zeros((2, 3)), tmp_path)
    (tiles,) = canvas.tile_sets
    counted = CountingByteSource(tiles.source)
    preview(TiledImage((replace(tiles, source=counted),)))
    assert counted.reads == len(canvas.grid)


def test_a_preview_that_is_made_in_bands_has_no_seams(tmp_path: Path) -> None:
    grid = Grid(1100, 2400, 200)
    file = TileFile(tmp_path / "canvas", TileLayout(grid, "float32", tuple(range(len(grid)))))
    file.create()
    samples = np.random.default_rng(0).integers(0, 256, (1100, 2400, 3), np.uint8)
    canvas = to_canvas(samples, torch.float32).numpy()
    for tile in range(len(grid)):
        file.write(tile, canvas[grid.core(tile).slices()])
    found = preview(TiledImage((file.as_tile_set(),)))
    square = 3
    means = samples[:1098].reshape(366, square, 800, square, 3).mean(axis=(1, 3))
    assert found.shape == (367, 800, 3)
    assert np.abs(found[:366] - means).max() <= 0.51
