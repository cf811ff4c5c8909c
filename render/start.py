"""What an octave starts from: the input at its size, with the detail dreamed so far."""

import torch
from torch import Tensor

from render.ascent import clamped, settled
from render.mosaic import Mosaic
from render.pictures.colour import to_canvas
from render.recipe import Recipe
from render.rect import Rect
from render.resample import resample


def base(recipe: Recipe, octave: int, rect: Rect, dtype: torch.dtype) -> Tensor:
    """The input at an octave's size, without any dream: the pixels `rect`, (h, w, 3)."""
    grid = recipe.input.grid

    def read(piece: Rect) -> Tensor:
        return to_canvas(recipe.input.read(piece), dtype)

    resampled = resample(read, (grid.height, grid.width), recipe.sizes[octave], rect)
    return clamped(resampled)


def start(
    recipe: Recipe, octave: int, before: Mosaic | None, rect: Rect, dtype: torch.dtype
) -> Tensor:
    """The canvas that an octave starts from: the pixels `rect`, (h, w, 3).

    `before` is the octave before as it was committed, None for the first. What was dreamed there,
    the canvas less its base, is carried up; the base itself is taken afresh from the input, which
    is sharper (Mordvintsev et al. 2015).
    """
    fresh = base(recipe, octave, rect, dtype)
    if before is None:
        return fresh

    def detail(piece: Rect) -> Tensor:
        dreamed = torch.from_numpy(before.read(piece))
        return dreamed - base(recipe, octave - 1, piece, dtype)

    grid = before.grid
    carried = resample(detail, (grid.height, grid.width), recipe.sizes[octave], rect)
    return settled(fresh, carried, recipe.dream.keep)
