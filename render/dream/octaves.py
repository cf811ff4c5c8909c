"""The sizes of a dream's octaves, from the smallest to the full size."""

import math

from render.dream.config import Dream
from render.geometry.rect import Size

SMALLEST_SIDE = 100
"""With `octaves: auto`, the shorter side of the first octave has about this many pixels.

It is the same at every output size, so motifs keep their share of the picture: a poster has more
octaves, not smaller motifs. Google's notebook (2015) starts a picture of 575 rows at 210. Starting
at 100 gives whole animals where 210 gives their heads.
"""


def octave_count(size: Size, dream: Dream) -> int:
    """The number of octaves for a picture of this size, at least 1."""
    if dream.octaves != "auto":
        return dream.octaves
    ratio = min(size) / SMALLEST_SIDE
    return 1 + max(0, math.floor(math.log(ratio) / math.log(dream.octave_scale) + 1e-9))


def octave_sizes(size: Size, dream: Dream) -> tuple[Size, ...]:
    """The height and width of each octave, smallest first; every side is at least 1."""
    count = octave_count(size, dream)
    return tuple(
        (
            max(1, round(size[0] / dream.octave_scale**smaller)),
            max(1, round(size[1] / dream.octave_scale**smaller)),
        )
        for smaller in range(count - 1, -1, -1)
    )
