"""Tiles of a pyramid, computed from a canvas of any size."""

import itertools
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from jobs.web.pyramid import (
    MOST_PIXELS,
    TILE,
    Pyramid,
    compute_tile,
    encode_tile,
    enlarge,
    pixels_to_read,
)
from render.geometry.rect import Rect
from render.pictures.colour import values_to_samples

SIDES = st.integers(1, 3000)


class Canvas:
    """A canvas of seeded values that remembers what was read."""

    def __init__(self, height: int, width: int) -> None:
        self.values = np.random.default_rng(3).normal(size=(height, width, 3)).astype(np.float32)
        self.size = height, width
        self.most = 0

    def read(self, rect: Rect) -> np.ndarray:
        assert rect.intersect(Rect(0, 0, *self.size)) == rect
        self.most = max(self.most, rect.area)
        return self.values[rect.slices((0, 0))]

    def tile(self, pyramid: Pyramid, level: int, column: int, row: int) -> np.ndarray:
        return compute_tile(self.read, self.size, pyramid.spans(self.size, level, column, row))

    def level(self, pyramid: Pyramid, level: int) -> np.ndarray:
        """All tiles of a level together."""
        height, width = pyramid.level_size(level)
        rows = [
            np.concatenate(
                [self.tile(pyramid, level, column, row) for column in range(-(-width // TILE))], 1
            )
            for row in range(-(-height // TILE))
        ]
        return np.concatenate(rows)


def test_the_last_level_of_a_whole_canvas_has_its_pixels() -> None:
    canvas = Canvas(300, 517)
    pyramid = Pyramid(300, 517)
    assert pyramid.max_level == 10
    whole = canvas.level(pyramid, 10)
    assert np.array_equal(whole, values_to_samples(canvas.values, 8))


def test_a_level_below_has_the_means_of_squares() -> None:
    canvas = Canvas(256, 384)
    half = canvas.level(Pyramid(256, 384), 8)
    means = canvas.values.reshape(128, 2, 192, 2, 3).mean(axis=(1, 3))
    assert np.array_equal(half, values_to_samples(means, 8))


def test_a_canvas_of_fewer_pixels_is_enlarged_evenly() -> None:
    """A ramp stays a ramp; only the filter's ends are flatter."""
    canvas = Canvas(60, 90)
    canvas.values[:] = np.linspace(-1.5, 1.5, 90)[None, :, None]
    whole = canvas.level(Pyramid(400, 600), 10).astype(int)
    assert whole.shape == (400, 600, 3)
    middle = whole[200, 20:-20, 0]
    assert np.all(np.diff(middle) >= 0)
    expected = np.interp(np.arange(600), (np.arange(90) + 0.5) * 600 / 90 - 0.5, range(90))
    samples = values_to_samples(canvas.values, 8)[0, :, 0]
    assert np.abs(middle - np.interp(expected, range(90), samples)[20:-20]).max() <= 2


@pytest.mark.parametrize("canvas_size", [(100, 150), (400, 600), (333, 500), (7, 11)])
@pytest.mark.parametrize("level", [10, 9, 7, 3, 0])
def test_tiles_meet_without_a_seam(canvas_size: tuple[int, int], level: int) -> None:
    """A level from tiles is the level from one tile as large as the level."""
    canvas, pyramid = Canvas(*canvas_size), Pyramid(400, 600)
    canvas.values[:] = np.add.outer(
        np.sin(np.arange(canvas_size[0]) / 9), np.cos(np.arange(canvas_size[1]) / 7)
    )[..., None]
    tiles = canvas.level(pyramid, level).astype(int)
    assert tiles.shape[:2] == pyramid.level_size(level)
    steps = [np.abs(np.diff(tiles, axis=axis)) for axis in (0, 1)]
    for axis, changes in enumerate(steps):
        edges = range(TILE - 1, changes.shape[axis], TILE)
        for edge in edges:
            across = np.take(changes, edge, axis).max()
            beside = [np.take(changes, edge + shift, axis).max() for shift in (-2, -1)]
            assert across <= max(beside) + 6


@pytest.mark.parametrize("canvas_size", [(100, 150), (333, 500)])
def test_tiles_are_parts_of_the_whole_level(canvas_size: tuple[int, int]) -> None:
    """Where a tile ends, the filter sees what lies beyond. Only the picture's own ends differ."""
    canvas, pyramid = Canvas(*canvas_size), Pyramid(400, 600)
    tiles = canvas.level(pyramid, 10).astype(int)
    whole = Image.fromarray(values_to_samples(canvas.values, 8))
    level = np.asarray(whole.resize((600, 400), Image.Resampling.BICUBIC)).astype(int)
    end = 3 * 400 // canvas_size[0]
    assert np.abs(tiles - level)[:-end, :-end].max() <= 1


@given(SIDES, SIDES, SIDES, SIDES, st.data())
def test_each_tile_has_its_size_and_reads_only_the_canvas(
    height: int, width: int, rows: int, columns: int, data: st.DataObject
) -> None:
    pyramid = Pyramid(height, width)
    level = data.draw(st.integers(0, pyramid.max_level))
    high, wide = pyramid.level_size(level)
    row = data.draw(st.integers(0, (high - 1) // TILE))
    column = data.draw(st.integers(0, (wide - 1) // TILE))
    assert pyramid.has_tile(level, column, row)
    size = min(rows, height), min(columns, width)
    spans = pyramid.spans(size, level, column, row)
    if pixels_to_read(size, spans) > 1 << 17:
        return  # takes long, and shows nothing else

    def read(rect: Rect) -> np.ndarray:
        assert rect.area
        assert rect.intersect(Rect(0, 0, *size)) == rect
        return np.zeros((rect.height, rect.width, 3), np.float32)

    tile = compute_tile(read, size, spans)
    assert tile.shape == (min(TILE, high - row * TILE), min(TILE, wide - column * TILE), 3)


def test_what_lies_outside_is_no_tile() -> None:
    pyramid = Pyramid(300, 517)
    for place in ((10, 3, 0), (10, 0, 2), (11, 0, 0), (-1, 0, 0), (10, -1, 0), (0, 1, 0)):
        assert not pyramid.has_tile(*place)
    assert pyramid.has_tile(10, 2, 1)
    assert Pyramid(1, 1).max_level == 0


def test_the_pyramid_of_a_deepzoom() -> None:
    """The same levels as libvips and OpenSeadragon: each side is halved and rounded up."""
    pyramid = Pyramid(4016, 7087)
    sizes = [pyramid.level_size(level) for level in range(pyramid.max_level, -1, -1)]
    assert sizes[0] == (4016, 7087)
    for (height, width), half in itertools.pairwise(sizes):
        assert half == (-(-height // 2), -(-width // 2))
    assert sizes[-1] == (1, 1)


def test_a_large_canvas_is_read_in_bands() -> None:
    size = 1500, 3000
    canvas = Canvas(*size)
    tile = canvas.tile(Pyramid(*size), 8, 0, 0)
    assert tile.shape == (94, 188, 3)
    assert canvas.most <= 1 << 20 < 1500 * 3000 <= MOST_PIXELS


def test_a_preview_stands_for_a_canvas_that_is_too_large() -> None:
    small = Image.fromarray(np.full((100, 150, 3), 77, np.uint8))
    spans = Pyramid(4000, 6000).spans((100, 150), 9, 0, 0)
    assert np.array_equal(enlarge(small, spans), np.full((250, 256, 3), 77, np.uint8))


def test_a_tile_is_a_jpeg() -> None:
    samples = np.full((200, 256, 3), (10, 200, 90), np.uint8)
    with Image.open(BytesIO(encode_tile(samples))) as tile:
        assert (tile.format, tile.size) == ("JPEG", (256, 200))
        assert np.abs(np.asarray(tile).astype(int) - samples).max() <= 3
