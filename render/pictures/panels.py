"""Cuts a picture into panels: overlapping parts in rows and columns."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from render.geometry.rect import Rect, Size


class Panel(NamedTuple):
    """A panel. row, column: counted from 1. pixels: of the picture, without bleed."""

    row: int
    column: int
    pixels: Rect


@dataclass(frozen=True)
class PanelGrid:
    """The panels of a picture, all of one size except those of the last row and column.

    size: of the picture. panel: of a panel with its overlaps, at most that of the picture.
    overlap: the pixels that two neighbours share, fewer than either side of a panel.
    """

    size: Size
    panel: Size
    overlap: int = 0

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self._tops)

    @property
    def columns(self) -> int:
        """The number of columns."""
        return len(self._lefts)

    def panels(self) -> Iterator[Panel]:
        """All panels, row by row."""
        for row, top in enumerate(self._tops, 1):
            for column, left in enumerate(self._lefts, 1):
                bottom = min(top + self.panel[0], self.size[0])
                right = min(left + self.panel[1], self.size[1])
                yield Panel(row, column, Rect(top, left, bottom, right))

    def name(self, panel: Panel) -> str:
        """The name of a panel, such as `r1-c2`; with zeros, so that names sort as panels do."""
        row = f"{panel.row:0{len(str(self.rows))}}"
        return f"r{row}-c{panel.column:0{len(str(self.columns))}}"

    @property
    def _tops(self) -> range:
        return _starts(self.size[0], self.panel[0], self.overlap)

    @property
    def _lefts(self) -> range:
        return _starts(self.size[1], self.panel[1], self.overlap)


def _starts(side: int, panel: int, overlap: int) -> range:
    """Where panels begin on a side. The last one shows more than the overlap alone."""
    return range(0, max(1, side - overlap), panel - overlap)
