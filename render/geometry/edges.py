"""What lies beyond the edges of a picture: nothing, its mirror image, or the picture again.

With `mirror` and `wrap` the picture continues without end along an axis, as copies side by side.
All copies are equal, or every other one is mirrored. The pixels of an axis are numbered; those of
the picture itself begin at 0.
"""

from collections.abc import Iterable
from typing import Literal

from render.geometry.rect import Rect, Size

Edge = Literal["zero", "mirror", "wrap"]
"""What lies beyond both ends of one axis."""


Edges = Literal["zero", "mirror", "wrap", "wrap-x", "wrap-y"]
"""What lies beyond the edges of a picture; `wrap-x` wraps the columns only, `wrap-y` the rows."""


Span = tuple[int, int]
"""The pixels [start, stop) of an axis."""


def axis_edges(edges: Edges) -> tuple[Edge, Edge]:
    """What lies beyond the first and last row, and beyond the first and last column."""
    match edges:
        case "wrap-x":
            return "zero", "wrap"
        case "wrap-y":
            return "wrap", "zero"
        case _:
            return edges, edges


def clip(rect: Rect, size: Size, edges: Edges) -> Rect:
    """The part of a rectangle that has pixels: on an endless axis all of it."""
    inside = rect.intersect(Rect(0, 0, *size))
    rows, columns = axis_edges(edges)
    if rows != "zero":
        inside = inside._replace(top=rect.top, bottom=rect.bottom)
    if columns != "zero":
        inside = inside._replace(left=rect.left, right=rect.right)
    return inside


def picture_pixel(pixel: int, side: int, edge: Edge) -> int:
    """The pixel of the picture that a pixel of the axis shows; `zero` leaves it as it is.

    `mirror` reflects at the picture's border, not at the centre of its last pixel. So the mirror
    stands at the same place in every octave, and pixel -1 shows pixel 0.
    """
    if edge == "wrap":
        return pixel % side
    if edge == "mirror":
        return min(pixel % (2 * side), -(pixel + 1) % (2 * side))
    return pixel


def shown_spans(start: int, stop: int, side: int, edge: Edge) -> list[Span]:
    """The pixels of the picture that [start, stop) shows: disjoint spans in order, at most two."""
    if edge == "zero":
        start, stop = max(start, 0), min(stop, side)
        return [(start, stop)] if start < stop else []
    if stop - start >= 2 * side:
        return [(0, side)]
    copies = range(start // side, -(-stop // side)) if start < stop else range(0)
    return _merged(
        _picture_span(max(start, copy * side), min(stop, (copy + 1) * side), side, edge)
        for copy in copies
    )


def _picture_span(start: int, stop: int, side: int, edge: Edge) -> Span:
    """The pixels of the picture that a part of one copy shows."""
    ends = picture_pixel(start, side, edge), picture_pixel(stop - 1, side, edge)
    return min(ends), max(ends) + 1


def _merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, stop in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(stop, merged[-1][1])
        else:
            merged.append((start, stop))
    return merged


def shown_rects(rect: Rect, size: Size, edges: Edges) -> list[Rect]:
    """The pixels of the picture that a rectangle shows: disjoint rectangles, at most four."""
    rows, columns = axis_edges(edges)
    return [
        Rect(top, left, bottom, right)
        for top, bottom in shown_spans(rect.top, rect.bottom, size[0], rows)
        for left, right in shown_spans(rect.left, rect.right, size[1], columns)
    ]
