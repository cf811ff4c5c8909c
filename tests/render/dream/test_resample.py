"""Resampling gives the same bits for every rectangle, and the same picture as Pillow."""

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from render.dream.plane import Read
from render.dream.resample import resample
from render.geometry.rect import Rect, Size
from tests.support.seeded_networks import noise_picture

SIDES = st.integers(1, 70)
SIZES = st.tuples(SIDES, SIDES)
LARGEST_READ = 1 << 20  # pixels


def held(picture: Tensor) -> Read:
    """Reads from a picture in memory; a rectangle beyond its border is an error."""
    height, width, _ = picture.shape

    def read(rect: Rect) -> Tensor:
        assert rect.intersect(Rect(0, 0, height, width)) == rect
        return picture[rect.slices()]

    return read


def resized(picture: Tensor, size: Size) -> Tensor:
    height, width, _ = picture.shape
    return resample(held(picture), (height, width), size, Rect(0, 0, *size))


def tiles(size: Size, tile: int) -> list[Rect]:
    whole = Rect(0, 0, *size)
    return [
        Rect(top, left, top + tile, left + tile).intersect(whole)
        for top in range(0, size[0], tile)
        for left in range(0, size[1], tile)
    ]


@settings(max_examples=30)
@example((1, 1), (1, 1), 1, torch.float32)
@example((1, 70), (70, 1), 7, torch.float32)
@example((70, 3), (2, 61), 5, torch.float64)
@given(SIZES, SIZES, st.integers(1, 40), st.sampled_from([torch.float32, torch.float64]))
def test_the_division_of_the_result_changes_no_bit(
    source: Size, target: Size, tile: int, dtype: torch.dtype
) -> None:
    picture = noise_picture(source, seed=3, dtype=dtype)
    whole = resized(picture, target)
    assert whole.shape == (*target, 3)
    assert whole.dtype == dtype
    for rect in tiles(target, tile):
        part = resample(held(picture), source, target, rect)
        assert torch.equal(part, whole[rect.slices()])


@pytest.mark.parametrize("target", [(1024, 700), (311, 77)])
def test_the_division_of_a_large_result_changes_no_bit(target: Size) -> None:
    """A CPU computes long rows with other vector instructions than short ones."""
    picture = noise_picture((431, 377), dtype=torch.float32)
    whole = resized(picture, target)
    for rect in tiles(target, 96):
        part = resample(held(picture), (431, 377), target, rect)
        assert torch.equal(part, whole[rect.slices()])


@given(SIZES)
def test_the_same_size_is_the_same_picture(size: Size) -> None:
    picture = noise_picture(size, dtype=torch.float32)
    assert torch.equal(resized(picture, size), picture)


@given(SIZES, SIZES, st.floats(0.01, 3))
def test_a_plain_colour_stays_plain(source: Size, target: Size, level: float) -> None:
    plain = torch.full((*source, 3), level, dtype=torch.float64)
    assert (resized(plain, target) - level).abs().max() <= 4e-15 * level


@settings(max_examples=60)
@example((1, 60), (1, 7))
@example((60, 60), (1, 1))
@given(SIZES, SIZES)
def test_pillow_makes_the_same_picture(source: Size, target: Size) -> None:
    """Pillow's bicubic filter has the same kernel, and widens it too if the picture shrinks."""
    picture = noise_picture(source, dtype=torch.float32)
    image = Image.fromarray(picture[:, :, 0].numpy())
    wanted = np.asarray(image.resize((target[1], target[0]), Image.Resampling.BICUBIC))
    found = resized(picture, target)[:, :, 0].numpy()
    assert np.abs(found - wanted).max() <= 1e-5


@pytest.mark.parametrize(
    ("source", "target", "rect"),
    [
        ((8000, 8000), (100, 100), Rect(40, 40, 60, 60)),
        ((8000, 8000), (3, 3), Rect(0, 0, 3, 1)),
        ((50, 200_000), (50, 1000), Rect(0, 100, 50, 400)),
    ],
)
def test_reads_are_bounded_however_much_a_picture_shrinks(
    source: Size, target: Size, rect: Rect
) -> None:
    """One pixel of the result may need more: all pixels under its kernel."""
    reads: list[Rect] = []
    one_pixel = 1
    for before, after in zip(source, target, strict=True):
        one_pixel *= min(before, 4 * -(-before // after) + 4)

    def read(piece: Rect) -> Tensor:
        reads.append(piece)
        return torch.ones(piece.height, piece.width, 1)

    found = resample(read, source, target, rect)
    assert found.shape == (rect.height, rect.width, 1)
    assert (found - 1).abs().max() <= 1e-5
    assert max(piece.area for piece in reads) <= max(LARGEST_READ, one_pixel)


def test_a_shrunk_pattern_does_not_alias() -> None:
    """Stripes finer than the pixels of the result become grey."""
    stripes = torch.zeros(64, 640, 1, dtype=torch.float64)
    stripes[:, ::2] = 1
    small = resized(stripes, (64, 64))
    assert (small[:, 4:-4] - 0.5).abs().max() < 0.01
