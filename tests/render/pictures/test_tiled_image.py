"""Tiled images in files, and tile stores in memory or on disk."""

from collections.abc import MutableMapping
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from render.engine.tile_store import DiskTiles
from render.geometry.grid import Grid
from render.geometry.partition import partition
from render.geometry.rect import Rect
from render.pictures.tiled_image import TiledImage, TileFile, TileLayout

GRIDS = st.builds(Grid, st.integers(1, 80), st.integers(1, 80), st.integers(9, 50))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    GRIDS, st.sampled_from(["uint8", "uint16", "float32", "float64"]), st.integers(1, 4), st.data()
)
def test_any_rectangle_reads_what_was_written(
    tmp_path: Path, grid: Grid, dtype: str, members: int, data: st.DataObject
) -> None:
    picture = np.random.default_rng(0).normal(100, 40, (grid.height, grid.width, 3)).astype(dtype)
    files = []
    for member, block in enumerate(partition(grid, members)):
        layout = TileLayout(grid, dtype, block.tiles(grid))
        file = TileFile(tmp_path / str(member), layout)
        file.create()
        for tile in reversed(layout.tiles):
            core = grid.core(tile)
            middle = core.height // 2
            samples = picture[core.slices()]
            file.write(tile, samples[middle:], top=middle)
            file.write(tile, samples[:middle])
        files.append(file.as_tile_set())
        assert file.path.stat().st_size == layout.size_bytes
    image = TiledImage(tuple(files))
    top, bottom = sorted(data.draw(st.tuples(*[st.integers(0, grid.height)] * 2)))
    left, right = sorted(data.draw(st.tuples(*[st.integers(0, grid.width)] * 2)))
    rect = Rect(top, left, bottom, right)
    found = image.read(rect)
    assert found.dtype == np.dtype(dtype)
    assert np.array_equal(found, picture[rect.slices()])
    assert np.array_equal(image.read(grid.whole), picture)


@pytest.fixture(params=["memory", "disk"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> MutableMapping[int, Tensor]:
    return {} if request.param == "memory" else DiskTiles(tmp_path / "deep" / "er", "canvas")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_tiles_come_back_to_the_bit(kept: MutableMapping[int, Tensor], dtype: torch.dtype) -> None:
    tiles = {index: torch.randn(4 + index, 7, 3, dtype=dtype) for index in range(3)}
    tiles[0][0, 0] = torch.tensor([torch.nan, -0.0, torch.inf])
    for index in (2, 0, 1):
        kept[index] = tiles[index]
    assert sorted(kept) == [0, 1, 2]
    for index, tile in tiles.items():
        assert kept[index].dtype == dtype
        assert kept[index].numpy().tobytes() == tile.numpy().tobytes()


def test_tiles_are_replaced_and_taken_out(kept: MutableMapping[int, Tensor]) -> None:
    kept[5] = torch.zeros(2, 2, 3)
    kept[5] = torch.ones(3, 2, 3)
    assert 5 in kept
    assert len(kept) == 1
    assert torch.equal(kept.pop(5), torch.ones(3, 2, 3))
    assert 5 not in kept
    with pytest.raises(KeyError):
        kept[5]
    with pytest.raises(KeyError):
        del kept[5]
    kept[1] = torch.zeros(1, 1, 3)
    kept.clear()
    assert not len(kept)


def test_two_stores_share_a_folder(tmp_path: Path) -> None:
    canvas, gradient = DiskTiles(tmp_path, "canvas"), DiskTiles(tmp_path, "gradient-0")
    canvas[0] = torch.zeros(1, 1, 3)
    gradient[0] = torch.ones(1, 1, 3)
    del gradient[0]
    assert torch.equal(canvas[0], torch.zeros(1, 1, 3))
    assert not list(tmp_path.glob("gradient*"))
