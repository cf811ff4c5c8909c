"""Where the units of a layer lie over the picture."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from render.geometry.edges import Edges, axis_edges
from render.geometry.rect import Size


@dataclass(frozen=True)
class UnitGrid:
    """The units of a layer: unit n sees the pixels [start + n stride, start + n stride + field).

    The same down and across, in pixels of the padded canvas. `start` is negative where convolutions
    pad.
    """

    stride: int
    start: int
    field: int

    def nearest(self, pixel: float, padded: int) -> int:
        """The unit whose centre is nearest to a pixel, on a padded canvas with this side.

        Only units that certainly exist: each strided layer may leave pixels unread at the end,
        together less than a stride.
        """
        free = padded - 2 * self.start - self.field - (self.stride - 1)
        return min(max(round((pixel - self.middle) / self.stride), 0), max(free // self.stride, 0))

    def nearest_in_copy(self, pixel: float, offset: int) -> int:
        """The unit nearest to `pixel` + `offset`, on an axis without ends.

        An offset by whole strides moves the unit by as many, whatever the rounding of `pixel`.
        """
        strides, rest = divmod(offset, self.stride)
        return strides + math.floor((pixel + rest - self.middle) / self.stride + 0.5)

    @property
    def middle(self) -> float:
        """The centre of the field of unit 0."""
        return self.start + (self.field - 1) / 2


@dataclass(frozen=True)
class WindowPosition:
    """Where a window lies on the padded canvas. Only neuron objectives need it.

    corner: the window's first pixel on the padded canvas, a multiple of the stride.
    shift: the picture's first pixel on the padded canvas.
    size: the picture's height and width.
    padded: the padded canvas's height and width; those of an endless axis do not count.
    edges: what lies beyond the picture's edges.
    """

    corner: tuple[int, int]
    shift: tuple[int, int]
    size: Size
    padded: Size
    edges: Edges = "zero"

    def units(
        self, units: UnitGrid, at: tuple[float, float], count: tuple[int, int]
    ) -> Iterator[tuple[int, int]]:
        """The rows and columns of the units nearest to (x, y), each from 0 to 1.

        There are `count` rows and columns of units in the window. Units outside it are left out:
        they see no pixel of the tile's core. Where the picture continues, (x, y) is a point of each
        copy of it.
        """
        x, y = at
        rows, columns = (
            [u for u in self._axis_units(units, axis, share, count[axis]) if 0 <= u < count[axis]]
            for axis, share in ((0, y), (1, x))
        )
        for row in rows:
            for column in columns:
                yield row, column

    def _axis_units(self, units: UnitGrid, axis: int, share: float, count: int) -> Iterator[int]:
        """The units along one axis, 0 for rows, counted from the window's first."""
        edge = axis_edges(self.edges)[axis]
        side, shift, corner = self.size[axis], self.shift[axis], self.corner[axis]
        first, point = corner // units.stride, share * (side - 1)
        if edge == "zero":
            yield units.nearest(shift + point, self.padded[axis]) - first
            return
        start = corner - shift + math.floor(units.middle) - units.stride
        stop = start + (count + 3) * units.stride
        for copy in range(start // side - 1, stop // side + 1):
            is_mirrored = edge == "mirror" and copy % 2
            place = side - 1 - point if is_mirrored else point
            yield units.nearest_in_copy(shift + place, copy * side) - first
