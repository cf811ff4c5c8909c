"""How the units of a layer lie over the picture."""

from dataclasses import dataclass

from render.geometry.rect import Size


@dataclass(frozen=True)
class Units:
    """Unit n, down or across, sees the pixels [start + n stride, start + n stride + field).

    In pixels of the padded canvas. `start` is below 0 where convolutions pad.
    """

    stride: int
    start: int
    field: int

    def nearest(self, pixel: float, padded: int) -> int:
        """The unit in whose middle a pixel lies most nearly, of those along a side of `padded`.

        Only units that exist whatever is rounded: each strided layer may leave pixels unread at
        the end, together less than a stride.
        """
        middle = self.start + (self.field - 1) / 2
        room = padded - 2 * self.start - self.field - (self.stride - 1)
        return min(max(round((pixel - middle) / self.stride), 0), max(room // self.stride, 0))


@dataclass(frozen=True)
class Place:
    """Where a window lies: what neurons have to know.

    corner: the window's first pixel, in the padded canvas, a multiple of the stride. shift: the
    picture's first pixel there. size: the picture's. padded: the padded canvas's.
    """

    corner: tuple[int, int]
    shift: tuple[int, int]
    size: Size
    padded: Size

    def unit(self, units: Units, at: tuple[float, float]) -> tuple[int, int]:
        """The row and column, in the window's own units, of the unit at (x, y), each from 0 to 1.

        They may lie outside the window: then it sees no pixel that the window is there for.
        """
        row, column = (
            units.nearest(shift + share * (side - 1), padded) - corner // units.stride
            for share, shift, side, padded, corner in zip(
                reversed(at), self.shift, self.size, self.padded, self.corner, strict=True
            )
        )
        return row, column
