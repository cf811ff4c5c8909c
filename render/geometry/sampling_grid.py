"""Where the network's units sample a picture, and the windows that make tiles exact.

A unit of a layer sees a square of the picture, its receptive field. Neighbouring units see squares
that lie one stride apart: together they form the sampling grid. Jitter moves this grid, not the
picture: a step with the shift (oy, ox) pads the canvas with oy rows of zeros above and ox columns
on the left. Nothing wraps round, in contrast to `np.roll` in Mordvintsev et al. 2015.

Along an endless axis (`render.geometry.edges`) there is no padding. The grid is just shifted, and
the canvas continues as far as windows read.
"""

import hashlib
from dataclasses import dataclass

from render.geometry.edges import Edge, Edges, axis_edges, clip, shown_rects
from render.geometry.rect import Rect, Size
from render.geometry.units import WindowPosition

Shift = tuple[int, int]
"""Rows above and columns on the left by which a step pads the canvas: (oy, ox)."""


def round_up(value: int, multiple: int) -> int:
    """The least multiple of `multiple` that is at least `value`."""
    return -(-value // multiple) * multiple


def jitter_shift(seed: int, octave: int, step: int, span: int) -> Shift:
    """The jitter of one step: both numbers in [0, span), or (0, 0) if `span` is 0.

    It is a hash and not a random generator's stream, so any step's shift is known without the steps
    before it, in every version of every library. The bias of the remainder is below 2^-50.
    """
    if span == 0:
        return 0, 0
    digest = hashlib.sha256(f"jitter/{seed}/{octave}/{step}".encode()).digest()
    return (
        int.from_bytes(digest[:8], "big") % span,
        int.from_bytes(digest[8:16], "big") % span,
    )


@dataclass(frozen=True)
class SamplingGrid:
    """The sampling grid of a network for a given jitter. All lengths are in pixels.

    stride: the distance between the fields of neighbouring units.
    field: the side of a unit's receptive field.
    jitter: the largest shift that the user asked for.
    margin: how far beyond a tile's core its gradient is needed, because smoothing reads around it.
    edges: what lies beyond the picture's edges.
    """

    stride: int
    field: int
    jitter: int
    margin: int = 0
    edges: Edges = "zero"

    @property
    def span(self) -> int:
        """The number of shifts along an axis: the jitter rounded up to a multiple of the stride.

        So every phase of the grid is equally likely.
        """
        return round_up(self.jitter, self.stride)

    @property
    def halo(self) -> int:
        """The context of a core on each side: field - 1, plus the margin."""
        return self.field - 1 + self.margin

    def padded_side(self, side: int) -> int:
        """The side of the padded canvas for a picture with this side, the same at every shift.

        An endless axis has none.

        At least span - shift zeros lie below and on the right. A further stride - 1 zeros let the
        network read the picture's last pixel: pools in floor mode and strided convolutions leave up
        to stride - 1 pixels unread at the end. The side is at least one field.
        """
        return max(side + self.span + self.stride - 1, self.field)

    def window_side(self, tile: int) -> int:
        """The side of the window of a full tile with side `tile`, the same at every shift."""
        return round_up(tile + 2 * self.halo, self.stride) + self.stride

    def largest_window(self, tile: int, size: Size) -> int:
        """The pixels of the largest window, for tiles of side `tile` in a picture of `size`."""
        side = self.window_side(tile)
        height, width = (
            min(side, self.padded_side(length)) if edge == "zero" else side
            for length, edge in zip(size, axis_edges(self.edges), strict=True)
        )
        return height * width

    def gradient_rect(self, core: Rect, size: Size) -> Rect:
        """The pixels whose gradient a core needs: its own, and the margin for smoothing."""
        return clip(core.grown(self.margin), size, self.edges)

    def window_union(self, block: Rect, tile: int) -> Rect:
        """The pixels that the windows of a block of whole tiles read, over all shifts.

        Every pixel of the result is read at some shift. The block starts with a full tile.
        """
        top, bottom = self._union_ends(block.top, block.bottom, tile)
        left, right = self._union_ends(block.left, block.right, tile)
        return Rect(top, left, bottom, right)

    def pixels_read(self, block: Rect, tile: int, size: Size) -> list[Rect]:
        """The pixels of a picture of this size that the windows of a block read: disjoint."""
        return shown_rects(self.window_union(block, tile), size, self.edges)

    def _union_ends(self, start: int, stop: int, tile: int) -> tuple[int, int]:
        last = start + (stop - start - 1) // tile * tile
        return (
            start - self.halo - max(self._phases(start)),
            last - self.halo - min(self._phases(last)) + self.window_side(tile),
        )

    def _phases(self, start: int) -> tuple[int, int]:
        """The least and the largest number of pixels that alignment adds before the halo."""
        if self.jitter:
            return 0, self.stride - 1
        phase = (start - self.halo) % self.stride
        return phase, phase

    def window(self, core: Rect, tile: int, shift: Shift, size: Size) -> Rect:
        """The window of a core, in pixels of the picture; it starts at -shift or later.

        `tile` is the side of a full tile. A smaller core at the picture's end has a window of the
        same size, except where the window meets the true border of the padded canvas. `size` is the
        picture's.
        """
        rows, columns = axis_edges(self.edges)
        top, bottom = self._window_ends(core.top, tile, shift[0], size[0], rows)
        left, right = self._window_ends(core.left, tile, shift[1], size[1], columns)
        return Rect(top, left, bottom, right)

    def _window_ends(
        self, start: int, tile: int, shift: int, side: int, edge: Edge
    ) -> tuple[int, int]:
        first = (start + shift - self.halo) // self.stride * self.stride
        last = first + self.window_side(tile)
        if edge == "zero":
            first, last = max(first, 0), min(last, self.padded_side(side))
        return first - shift, last - shift

    def window_position(self, window: Rect, shift: Shift, size: Size) -> WindowPosition:
        """Where a window lies on the padded canvas of a picture of this size."""
        return WindowPosition(
            corner=(window.top + shift[0], window.left + shift[1]),
            shift=shift,
            size=size,
            padded=(self.padded_side(size[0]), self.padded_side(size[1])),
            edges=self.edges,
        )

    def padded_canvas(self, shift: Shift, size: Size) -> Rect:
        """The whole padded canvas, in pixels of the picture.

        Along an endless axis it is the window of a tile that is the whole picture.
        """
        rows, columns = axis_edges(self.edges)
        top, bottom = self._canvas_ends(shift[0], size[0], rows)
        left, right = self._canvas_ends(shift[1], size[1], columns)
        return Rect(top, left, bottom, right)

    def _canvas_ends(self, shift: int, side: int, edge: Edge) -> tuple[int, int]:
        if edge == "zero":
            return -shift, self.padded_side(side) - shift
        return self._window_ends(0, side, shift, side, edge)
