"""The canvas from which an octave starts: a fresh base, plus the detail dreamed so far.

The detail is the canvas minus the base of the previous octave. It is resampled to the new size, and
the base is taken again from the input, which is sharper (Mordvintsev et al. 2015).
"""

from torch import Tensor

from render.dream.config import KeptColours
from render.dream.resample import Read, resample
from render.dream.update import apply_change, clamp_canvas
from render.geometry.rect import Rect, Size


def octave_base(read: Read, source: Size, size: Size, rect: Rect) -> Tensor:
    """The input of size `source` resampled to an octave's size: its pixels `rect`, (h, w, 3)."""
    return clamp_canvas(resample(read, source, size, rect))


def add_detail(
    base: Tensor, detail: Read, previous: Size, size: Size, rect: Rect, keep: KeptColours | None
) -> Tensor:
    """The base's pixels `rect` plus the detail of the previous octave, resampled: (h, w, 3)."""
    return apply_change(base, resample(detail, previous, size, rect), keep)
