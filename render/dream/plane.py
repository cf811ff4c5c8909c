"""Reading pixels beyond the edges of a picture that continues there (`render.geometry.edges`)."""

from collections.abc import Callable

import torch
from torch import Tensor

from render.geometry.edges import Edge, Edges, Span, axis_edges, picture_pixel, shown_spans
from render.geometry.rect import Rect, Size

Read = Callable[[Rect], Tensor]
"""Returns the (h, w, C) pixels of a rectangle of a picture."""


def endless(read: Read, size: Size, edges: Edges) -> Read:
    """Reads any rectangle of the plane on which the picture continues.

    Each pixel of the picture is read once, however often the rectangle shows it. Along an axis with
    zeros beyond its ends, `read` gets the rectangle's ends as they are.
    """
    vertical, horizontal = axis_edges(edges)

    def read_plane(rect: Rect) -> Tensor:
        rows = _Axis(rect.top, rect.bottom, size[0], vertical)
        columns = _Axis(rect.left, rect.right, size[1], horizontal)
        strips = [
            [read(Rect(top, left, bottom, right)) for left, right in columns.spans]
            for top, bottom in rows.spans
        ]
        block = torch.cat([torch.cat(strip, 1) for strip in strips])
        return columns.spread(rows.spread(block, 0), 1)

    return read if edges == "zero" else read_plane


class _Axis:
    """The pixels [start, stop) of one axis, and the spans of the picture that they show.

    On an axis with zeros, and inside the picture, that is [start, stop) itself.
    """

    def __init__(self, start: int, stop: int, side: int, edge: Edge) -> None:
        self.spans: list[Span] = [(start, stop)]
        self._places: list[int] | None = None
        if edge != "zero" and (start < 0 or stop > side):
            self.spans = shown_spans(start, stop, side, edge)
            read = [pixel for span in self.spans for pixel in range(*span)]
            place = {pixel: number for number, pixel in enumerate(read)}
            shown = (picture_pixel(pixel, side, edge) for pixel in range(start, stop))
            self._places = [place[pixel] for pixel in shown]

    def spread(self, block: Tensor, dimension: int) -> Tensor:
        """The pixels of the axis, in their order, from the pixels of the spans."""
        if self._places is None:
            return block
        return block.index_select(dimension, torch.tensor(self._places, device=block.device))
