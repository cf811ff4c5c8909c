"""The fixed tiles of one octave."""

from collections.abc import Iterator
from dataclasses import dataclass

from render.geometry.rect import Rect


@dataclass(frozen=True)
class Grid:
    """A picture of height x width pixels cut into square tiles, row by row from the top left.

    Tiles of the last row and column may be smaller. The grid belongs to the plan and never depends
    on the crew.

    region: the part of the picture that is cut into tiles, not empty; None for the whole picture.
    """

    height: int
    width: int
    tile: int
    region: Rect | None = None

    @property
    def rows(self) -> int:
        """Rows of tiles."""
        return -(-self.covered.height // self.tile)

    @property
    def columns(self) -> int:
        """Columns of tiles."""
        return -(-self.covered.width // self.tile)

    def __len__(self) -> int:
        """The number of tiles."""
        return self.rows * self.columns

    @property
    def whole(self) -> Rect:
        """The whole picture."""
        return Rect(0, 0, self.height, self.width)

    @property
    def covered(self) -> Rect:
        """The pixels that the tiles cover: the region, or the whole picture."""
        return self.whole if self.region is None else self.region

    def core(self, index: int) -> Rect:
        """The pixels of tile `index`, counted row by row."""
        row, column = divmod(index, self.columns)
        return self.block(row, column, row + 1, column + 1)

    def block(self, top: int, left: int, bottom: int, right: int) -> Rect:
        """The pixels of the tiles in rows [top, bottom) and columns [left, right)."""
        covered, tile = self.covered, self.tile
        return (
            Rect(top * tile, left * tile, bottom * tile, right * tile)
            .shifted(covered.top, covered.left)
            .intersect(covered)
        )

    def tiles(self, rect: Rect) -> Rect:
        """The rows and columns of the tiles that overlap `rect`; the unit is tiles, not pixels."""
        covered = self.covered
        inside = rect.intersect(covered).shifted(-covered.top, -covered.left)
        if not inside.area:
            return Rect(0, 0, 0, 0)
        return Rect(
            inside.top // self.tile,
            inside.left // self.tile,
            -(-inside.bottom // self.tile),
            -(-inside.right // self.tile),
        )

    def touching(self, rect: Rect) -> Iterator[int]:
        """The tiles that overlap `rect`, in tile order."""
        top, left, bottom, right = self.tiles(rect)
        for row in range(top, bottom):
            for column in range(left, right):
                yield row * self.columns + column
