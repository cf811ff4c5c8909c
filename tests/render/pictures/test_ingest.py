"""A picture that is ingested and exported again is the same picture."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from render.errors import PictureError
from render.geometry.grid import Grid
from render.geometry.rect import Rect
from render.pictures.colour import to_canvas
from render.pictures.decode import open_picture
from render.pictures.export import export_bands
from render.pictures.ingest import INPUT_TILE, ingest_picture
from render.pictures.tiled_image import TiledImage, TileFile, TileLayout
from tests.support.picture_files import noise_samples


@dataclass(frozen=True)
class ArrayPicture:
    """A picture in memory."""

    samples: np.ndarray

    @property
    def height(self) -> int:
        return len(self.samples)

    @property
    def width(self) -> int:
        return int(self.samples.shape[1])

    @property
    def depth(self) -> int:
        return 8 * self.samples.itemsize

    def bands(self, rows: int) -> Iterator[np.ndarray]:
        yield from (self.samples[top : top + rows] for top in range(0, self.height, rows))


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize(
    "size", [(1, 1), (600, 1100), (INPUT_TILE, INPUT_TILE), (3, 1500), (1025, 2)]
)
def test_an_ingested_picture_can_be_read_by_rectangle(
    tmp_path: Path, size: tuple[int, int], depth: int
) -> None:
    samples = noise_samples(*size, depth)
    image = TiledImage((ingest_picture(ArrayPicture(samples), tmp_path / "input").as_tile_set(),))

    np.testing.assert_array_equal(image.read(Rect(0, 0, *size)), samples)
    middle = Rect(size[0] // 3, size[1] // 3, size[0] // 3 + 1, size[1])
    np.testing.assert_array_equal(image.read(middle), samples[middle.slices()])


def test_a_truncated_picture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.png"
    Image.fromarray(noise_samples(300, 300)).save(path)
    path.write_bytes(path.read_bytes()[:99_000])
    picture = open_picture(path)
    with pytest.raises(PictureError, match="truncated or damaged"):
        ingest_picture(picture, tmp_path / "input")


def committed(samples: np.ndarray, folder: Path, tile: int) -> TiledImage:
    """Write a canvas as shards do."""
    canvas = to_canvas(samples, torch.float32).numpy()
    height, width, _ = samples.shape
    grid = Grid(height, width, tile)
    file = TileFile(folder / "canvas", TileLayout(grid, "float32", tuple(range(len(grid)))))
    file.create()
    for index in range(len(grid)):
        file.write(index, canvas[grid.core(index).slices()])
    return TiledImage((file.as_tile_set(),))


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("size", [(1, 1), (130, 70), (700, 2000)])
def test_export_of_an_unchanged_canvas_equals_the_input(
    tmp_path: Path, size: tuple[int, int], depth: int
) -> None:
    samples = noise_samples(*size, depth)
    found = list(export_bands(committed(samples, tmp_path, tile=64), depth))

    assert all(band.shape[1:] == (size[1], 3) for band in found)
    assert max(len(band) for band in found) * size[1] <= max(1 << 20, size[1])
    np.testing.assert_array_equal(np.concatenate(found), samples)
