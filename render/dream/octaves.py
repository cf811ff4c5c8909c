"""The sizes of the octaves: they count up from a fixed smallest size, whatever the final size."""

from math import sqrt

from render.dream.config import MAX_SEARCH_SIDE, Dream
from render.errors import RenderError
from render.geometry.edges import axis_edges
from render.geometry.rect import Size

SMALLEST_SIDE = 100
"""With `octaves: auto`, the shorter side of the first octave in pixels.

It is the same at every output size, so motifs keep their share of the picture: a poster has more
octaves, not smaller motifs. Google's notebook (2015) starts a picture of 575 rows at 210. Starting
at 100 gives whole animals where 210 gives their heads.
"""


def octave_sizes(
    size: Size, dream: Dream, shape: Size | None = None, stride: int = 1
) -> tuple[Size, ...]:
    """The height and width of each octave, smallest first; every side is at least 1.

    With `octaves: auto` octave k has SMALLEST_SIDE * octave_scale**k pixels on its shorter side,
    and the last one has the final size. So the first octaves of a draft are those of the print. An
    octave is left out if the final size is less than half a step larger (a factor of
    sqrt(octave_scale)): it would dream the same motifs twice. A smaller picture than the first
    octave has only its own size. A given number of octaves counts down from the final size.

    A side that wraps is rounded to a multiple of the stride in all octaves but the last, so that
    the sampling grid closes round the torus.

    Args:
        size: The final height and width.
        dream: Its `octaves` and `octave_scale` count.
        shape: Height and width in any unit, from which the sides of all but the last octave follow,
            so that they do not depend on how the final size was rounded. Default: `size`.
        stride: That of the network, in pixels.

    Raises:
        RenderError: The size is too large for `ascent: search`.
    """
    if dream.ascent == "search" and max(size) > MAX_SEARCH_SIDE:
        raise RenderError(
            f"ascent: search is for pictures of at most {MAX_SEARCH_SIDE} x {MAX_SEARCH_SIDE} "
            f"pixels; not {size[1]} x {size[0]}; make it smaller, or leave ascent out"
        )
    if dream.octaves == "auto":
        smaller = _full_octaves(min(size), dream.octave_scale, shape or size)
    else:
        smaller = [
            _scaled(size, dream.octave_scale**-number) for number in range(dream.octaves - 1, 0, -1)
        ]
    steps = [stride if edge == "wrap" else 1 for edge in axis_edges(dream.edges)]
    closed = [tuple(map(_multiple, one, steps, size)) for one in smaller]
    return (*((height, width) for height, width in closed), size)


def _full_octaves(shorter: int, octave_scale: float, shape: Size) -> list[Size]:
    """The octaves before the last, for a picture whose shorter side has so many pixels."""
    sizes: list[Size] = []
    side = float(SMALLEST_SIDE)
    while side * sqrt(octave_scale) <= shorter:
        sizes.append(_scaled(shape, side / min(shape)))
        side = SMALLEST_SIDE * octave_scale ** len(sizes)
    return sizes


def _multiple(side: int, step: int, final: int) -> int:
    """The multiple of `step` nearest to a side; the final side if that is smaller."""
    return side if step == 1 else min(max(round(side / step), 1) * step, final)


def _scaled(size: Size, factor: float) -> Size:
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def picture_shape(source: Size, size: Size) -> Size:
    """The exact shape of a result: the input's, unless `size` differs by more than rounding.

    It is the `shape` of `octave_sizes`: two sizes of one picture round to slightly other shapes.
    """
    rows = abs(size[1] * source[0] - size[0] * source[1]) <= source[1]
    columns = abs(size[0] * source[1] - size[1] * source[0]) <= source[0]
    return source if rows or columns else size
