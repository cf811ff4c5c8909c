"""Rectangles of whole pixels."""

from typing import NamedTuple

Size = tuple[int, int]
"""Height and width in pixels."""


class Rect(NamedTuple):
    """The pixels [top, bottom) x [left, right) of a picture; empty if an end precedes its start."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        """Rows, at least 0."""
        return max(0, self.bottom - self.top)

    @property
    def width(self) -> int:
        """Columns, at least 0."""
        return max(0, self.right - self.left)

    @property
    def area(self) -> int:
        """Pixels."""
        return self.height * self.width

    def intersect(self, other: "Rect") -> "Rect":
        """The pixels of both rectangles; may be empty."""
        return Rect(
            max(self.top, other.top),
            max(self.left, other.left),
            min(self.bottom, other.bottom),
            min(self.right, other.right),
        )

    def without(self, other: "Rect") -> "list[Rect]":
        """The pixels that are not in `other`: above, below, left and right of it, if there are."""
        inner = self.intersect(other)
        if not inner.area:
            return [self]
        parts = (
            self._replace(bottom=inner.top),
            self._replace(top=inner.bottom),
            Rect(inner.top, self.left, inner.bottom, inner.left),
            Rect(inner.top, inner.right, inner.bottom, self.right),
        )
        return [part for part in parts if part.area]

    def grown(self, margin: int) -> "Rect":
        """This rectangle with `margin` more pixels on each side."""
        return Rect(
            self.top - margin, self.left - margin, self.bottom + margin, self.right + margin
        )

    def shifted(self, down: int, right: int) -> "Rect":
        """This rectangle moved."""
        return Rect(self.top + down, self.left + right, self.bottom + down, self.right + right)

    def slices(self, origin: tuple[int, int] = (0, 0)) -> tuple[slice, slice]:
        """The slices of this rectangle in an array whose first pixel is `origin`."""
        return (
            slice(self.top - origin[0], self.bottom - origin[0]),
            slice(self.left - origin[1], self.right - origin[1]),
        )
