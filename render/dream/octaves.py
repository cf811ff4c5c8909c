"""The sizes a picture is rendered at, from the smallest octave to the full size."""

import math

from render.dream.config import Dream
from render.geometry.rect import Size

SMALLEST_SIDE = 100
"""`octaves: auto` starts where the picture's shorter side is about this many pixels.

The same at every output size, so motifs keep their share of the picture: a poster has more octaves,
not smaller motifs. Google's notebook (2015) starts a 575 pixel high picture at 210; from 100 on
whole animals fit where it had their heads.
"""


def octave_count(size: Size, dream: Dream) -> int:
    """How many octaves a picture of this size is rendered at, at least 1."""
    if dream.octaves != "auto":
        return dream.octaves
    ratio = min(size) / SMALLEST_SIDE
    return 1 + max(0, math.floor(math.log(ratio) / math.log(dream.octave_scale) + 1e-9))


def octave_sizes(size: Size, dream: Dream) -> tuple[Size, ...]:
    """Height and width of each octave, smallest first, the full size last; no side below 1."""
    count = octave_count(size, dream)
    return tuple(
        (
            max(1, round(size[0] / dream.octave_scale**smaller)),
            max(1, round(size[1] / dream.octave_scale**smaller)),
        )
        for smaller in range(count - 1, -1, -1)
    )
