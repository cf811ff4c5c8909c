"""The bases made while decoding have the bits of those that are resampled from the whole input."""

from pathlib import Path

import numpy as np
import pytest
import torch

from render.dream.canvas import octave_base
from render.engine.octave_bases import OctaveBases
from render.engine.setup import smaller_octaves
from render.geometry.rect import Rect, Size
from render.pictures.colour import to_canvas
from render.pictures.ingest import canvas_layout
from render.pictures.tiled_image import FileByteSource, TiledImage, TileSet
from tests.support.picture_files import noise_samples

SOURCES = [(1, 1), (90, 131), (131, 90), (700, 1100), (1030, 3)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("band", [1, 7, 64])
@pytest.mark.parametrize("source", SOURCES)
def test_bases_have_the_same_bits(
    tmp_path: Path, source: Size, band: int, dtype: torch.dtype
) -> None:
    samples = noise_samples(*source)

    def read(rect: Rect) -> torch.Tensor:
        return to_canvas(samples[rect.slices()], dtype)

    for factor in (1.01, 1.4, 3.3, 40):
        size = (max(1, round(source[0] / factor)), max(1, round(source[1] / factor)))
        if not smaller_octaves(source, [size]):
            continue
        path = tmp_path / str(factor)
        bases = OctaveBases({1: path}, source, [(1, 1), size], dtype)
        for top in range(0, source[0], band):
            bases.add(samples[top : top + band])
        bases.close()
        layout = canvas_layout(*size, str(dtype).removeprefix("torch."))
        stored = TiledImage((TileSet(FileByteSource(path), layout),))
        whole = Rect(0, 0, *size)
        expected = octave_base(read, source, size, whole).numpy()
        np.testing.assert_array_equal(stored.read(whole).view(np.uint8), expected.view(np.uint8))


def test_octaves_that_are_not_smaller_have_none() -> None:
    assert smaller_octaves((100, 200), [(50, 100), (100, 150), (100, 200), (140, 280)]) == [0, 1]
