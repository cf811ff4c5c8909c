"""Seeded noise on the base of the first octave, so that another seed is another composition.

A dream follows the picture so closely that jitter alone hardly moves a motif. Motifs start where
the first octave has a hint of them, and the noise gives such hints. It belongs to the base, so the
next octave takes it off again: what was dreamed on it stays, and the noise itself is never seen.
"""

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from render.dream.canvas import apply_change
from render.dream.config import Dream
from render.dream.resample import resample
from render.geometry.rect import Rect, Size

_CELLS, _MOST_CELLS = 8, 512
"""Random values along the shorter side, and at most along the longer. A motif of the first octave
is as large as a few of them."""

_AMPLITUDE = 1.5
"""In normalised space: about a third of the range from black to white."""


def first_base(
    base: Tensor, dream: Dream, seed: int, octaves: int, size: Size, rect: Rect
) -> Tensor:
    """The base of the first octave of several: its pixels `rect`, (h, w, 3), with the noise.

    `base` are the pixels without it, and `size` is the octave's. `seed` is that of this picture; a
    dream whose own seed is 0 has no noise. A single octave has none: there it would be seen.
    """
    if octaves == 1 or dream.seed == 0:
        return base
    cells = _cells(seed, *_grid_size(size)).to(base.dtype)
    height, width, _ = cells.shape
    noise = resample(lambda one: cells[one.slices()], (height, width), size, rect, dream.edges)
    return apply_change(base, _AMPLITUDE * noise.expand_as(base), dream.keep)


def _grid_size(size: Size) -> Size:
    scale = min(_CELLS / min(size), _MOST_CELLS / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


@lru_cache(16)
def _cells(seed: int, height: int, width: int) -> Tensor:
    """Values from -1 to 1, (height, width, 1). A counter-based generator gives them everywhere."""
    raw = np.asarray(np.random.Philox(key=[seed, 0]).random_raw(height * width))
    return torch.from_numpy(raw / 2.0**63 - 1).reshape(height, width, 1)
