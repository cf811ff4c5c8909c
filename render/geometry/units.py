"""Where the units of a layer lie over the picture."""

from dataclasses import dataclass

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
        middle = self.start + (self.field - 1) / 2
        free = padded - 2 * self.start - self.field - (self.stride - 1)
        return min(max(round((pixel - middle) / self.stride), 0), max(free // self.stride, 0))


@dataclass(frozen=True)
class WindowPosition:
    """Where a window lies on the padded canvas. Only neuron objectives need it.

    corner: the window's first pixel on the padded canvas, a multiple of the stride.
    shift: the picture's first pixel on the padded canvas.
    size: the picture's height and width.
    padded: the padded canvas's height and width.
    """

    corner: tuple[int, int]
    shift: tuple[int, int]
    size: Size
    padded: Size

    def unit(self, units: UnitGrid, at: tuple[float, float]) -> tuple[int, int]:
        """The row and column, in the window, of the unit nearest to (x, y), each from 0 to 1.

        They may lie outside the window. Then the unit sees no pixel of the tile's core.
        """
        row, column = (
            units.nearest(shift + share * (side - 1), padded) - corner // units.stride
            for share, shift, side, padded, corner in zip(
                reversed(at), self.shift, self.size, self.padded, self.corner, strict=True
            )
        )
        return row, column
