"""Where the network's sampling grid lies over a picture, and the windows that keep tiles exact.

The picture stays and the grid moves (design, "The gradient of a tile is exact"): a step with jitter
(oy, ox) pads the canvas with zeros, oy rows above and ox columns to the left, so that the grid's
origin falls at another pixel. Nothing wraps round.
"""

import hashlib
from dataclasses import dataclass

from render.geometry.rect import Rect, Size
from render.geometry.units import Place


def round_up(value: int, multiple: int) -> int:
    """The least multiple of `multiple` that is at least `value`."""
    return -(-value // multiple) * multiple


def offset(seed: int, octave: int, step: int, jitter: int) -> tuple[int, int]:
    """The jitter (oy, ox) of one step, each in [0, jitter); (0, 0) where jitter is 0.

    A hash rather than a random generator's stream: any step's offset is known without the steps
    before it, in every version of every library. The bias of the remainder is below 2^-50.
    """
    if jitter == 0:
        return 0, 0
    digest = hashlib.sha256(f"jitter/{seed}/{octave}/{step}".encode()).digest()
    return (
        int.from_bytes(digest[:8], "big") % jitter,
        int.from_bytes(digest[8:16], "big") % jitter,
    )


@dataclass(frozen=True)
class Lattice:
    """The sampling grid of a network (stride, receptive field, both in pixels) for some jitter.

    `jitter` is what the user asked for; offsets are drawn from [0, `span`), which is `jitter`
    rounded up to a multiple of the stride, so that every phase of the grid is equally likely.
    `margin` is how far beyond a core its gradient is asked for, in pixels: smoothing looks round.
    """

    stride: int
    field: int
    jitter: int
    margin: int = 0

    @property
    def span(self) -> int:
        """The jitter rounded up to a multiple of the stride."""
        return round_up(self.jitter, self.stride)

    @property
    def halo(self) -> int:
        """How far from a core a unit can lie that counts: field - 1 pixels beyond the margin."""
        return self.field - 1 + self.margin

    def padded(self, length: int) -> int:
        """The padded canvas's side for a picture's side of `length` pixels, at every offset.

        Below and at the right lie at least span - offset zeros. stride - 1 more make sure that
        floor-mode pools and strided convolutions, which leave up to stride - 1 pixels unread at
        the end, still read the picture's last pixel; and the side is at least one field.
        """
        return max(length + self.span + self.stride - 1, self.field)

    def extent(self, core: int) -> int:
        """The side of the window of a full tile with a side of `core` pixels, at every offset."""
        return round_up(core + 2 * self.halo, self.stride) + self.stride

    def largest(self, tile: int, size: Size) -> int:
        """The pixels of the largest window of tiles of that side in a picture of that size."""
        extent = self.extent(tile)
        height, width = (min(extent, self.padded(side)) for side in size)
        return height * width

    def cover(self, block: Rect, tile: int) -> Rect:
        """What the windows of a block of whole tiles, of that side, hold of the plane: each pixel
        at some offset, and no others.
        """
        top, bottom = self._covered(block.top, block.bottom, tile)
        left, right = self._covered(block.left, block.right, tile)
        return Rect(top, left, bottom, right)

    def _covered(self, start: int, stop: int, tile: int) -> tuple[int, int]:
        last = (stop - 1) // tile * tile
        return (
            start - self.halo - max(self._phases(start)),
            last - self.halo - min(self._phases(last)) + self.extent(tile),
        )

    def _phases(self, start: int) -> tuple[int, int]:
        """The least and the most by which the grid has a window begin before its halo."""
        if self.jitter:
            return 0, self.stride - 1
        phase = (start - self.halo) % self.stride
        return phase, phase

    def window(self, core: Rect, tile: int, offset: tuple[int, int], size: tuple[int, int]) -> Rect:
        """The window of a core, in pixels of the picture (so it starts at -offset at the least).

        `tile` is the side of a full tile: a smaller core at the picture's end has the same extent,
        unless its window meets the true border of the padded canvas. `size` is the picture's.
        """
        top, bottom = self._ends(core.top, tile, offset[0], size[0])
        left, right = self._ends(core.left, tile, offset[1], size[1])
        return Rect(top, left, bottom, right)

    def _ends(self, start: int, tile: int, offset: int, length: int) -> tuple[int, int]:
        first = (start + offset - self.halo) // self.stride * self.stride
        last = first + self.extent(tile)
        return max(first, 0) - offset, min(last, self.padded(length)) - offset

    def place(self, window: Rect, offset: tuple[int, int], size: Size) -> Place:
        """Where a window of a picture of that size lies on the padded canvas."""
        return Place(
            (window.top + offset[0], window.left + offset[1]),
            offset,
            size,
            (self.padded(size[0]), self.padded(size[1])),
        )

    def canvas(self, offset: tuple[int, int], size: tuple[int, int]) -> Rect:
        """The whole padded canvas, in pixels of the picture."""
        return Rect(
            -offset[0],
            -offset[1],
            self.padded(size[0]) - offset[0],
            self.padded(size[1]) - offset[1],
        )
