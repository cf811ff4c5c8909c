"""Regions: their pixels and weights at every size, and the rectangle around a mask."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from render.dream.attachments import ingest_masks
from render.dream.region import Region, masked_region
from render.errors import PictureError
from render.geometry.rect import Rect, Size

SIZES = st.tuples(st.integers(1, 60), st.integers(1, 60))
SHARES = st.floats(0, 1)


def weights(region: Region, size: Size, rect: Rect | None = None) -> Tensor:
    return region.weights(size, rect or Rect(0, 0, *size), {}, torch.float64)[..., 0]


@given(SIZES, st.tuples(SHARES, SHARES), st.tuples(SHARES, SHARES), st.floats(0, 0.5))
def test_exactly_the_pixels_of_the_rectangle_have_a_weight(
    size: Size, across: tuple[float, float], down: tuple[float, float], feather: float
) -> None:
    region = Region(min(across), min(down), max(across), max(down), feather)
    found = weights(region, size)
    rect = region.rect(size)
    inside = torch.zeros(size, dtype=torch.bool)
    inside[rect.slices()] = True
    assert bool((found >= 0).all())
    assert bool((found <= 1).all())
    assert not found[~inside].any()
    if feather == 0:
        assert bool((found[inside] == 1).all())


@given(SIZES, st.integers(0, 60), st.integers(0, 60))
def test_neighbouring_regions_share_no_pixel_and_leave_none_out(
    size: Size, cut: int, other: int
) -> None:
    edges = [0.0, *sorted((cut / 60, other / 60)), 1.0]
    rects = [Region(left, 0, right, 1).rect(size) for left, right in itertools.pairwise(edges)]
    assert sum(rect.area for rect in rects) == size[0] * size[1]


def test_the_weights_of_a_part_are_those_of_the_whole() -> None:
    region, size, rect = Region(0.2, 0.1, 0.9, 0.8, 0.25), (40, 50), Rect(3, 7, 22, 31)
    torch.testing.assert_close(
        weights(region, size, rect), weights(region, size)[rect.slices()], rtol=0, atol=0
    )


def test_a_feather_rises_smoothly_inside() -> None:
    row = weights(Region(0.25, 0, 0.75, 1, 0.2), (100, 100))[50]
    assert row[24] == 0
    assert row[76] == 0
    assert bool((row[25:36].diff() > 0).all())
    assert bool((row[35:65] == 1).all())
    # At 5 of 10 pixels it is half, and there it is steepest.
    assert (row[29] + row[30]) / 2 == pytest.approx(0.5)
    assert row[25] < 0.01


def test_there_is_no_feather_at_the_edge_of_the_picture() -> None:
    found = weights(Region(0, 0, 0.5, 1, 0.5), (20, 20))
    assert bool((found[:, 0] == 1).all())
    assert bool((found[:, 9] < 0.1).all())


@pytest.mark.parametrize("size", [(20, 30), (40, 60), (123, 77), (7, 5)])
def test_outside_of_its_rectangle_a_mask_is_black(tmp_path: Path, size: Size) -> None:
    samples = np.zeros((40, 60), np.uint8)
    samples[11:20, 30:33] = 200
    path = tmp_path / "mask.png"
    Image.fromarray(samples).save(path)
    region = masked_region(path, 10**6)
    assert (region.top, region.left, region.bottom, region.right) == (
        11 / 40,
        30 / 60,
        20 / 40,
        33 / 60,
    )
    whole = Rect(0, 0, *size)
    found = region.weights(size, whole, ingest_masks([path], tmp_path), torch.float64)[..., 0]
    inside = torch.zeros(size, dtype=torch.bool)
    inside[region.rect(size).slices()] = True
    assert found.max() > 0.1
    assert not found[~inside].any()
    assert region.rect(size) != whole or max(size) < 10


def test_a_black_mask_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    Image.new("L", (9, 9)).save(path)
    with pytest.raises(PictureError, match="is black all over"):
        masked_region(path, 10**6)
