"""The page of a PDF: where the picture, the trim and the bleed are, and the crop marks.

Lengths are in points, 1/72 inch, the unit of PDF. `y` grows upwards.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from render.errors import OutputError
from render.geometry.rect import Size
from render.pictures.pdf_objects import number_text
from render.pictures.stroke_text import stroke_text

POINTS_PER_INCH = 72.0

POINTS_PER_MM = POINTS_PER_INCH / 25.4

MAX_PAGE = 14_400.0
"""The longest side of a page, 5.08 m (ISO 32000-1, annex C)."""

A4 = 210 * POINTS_PER_MM, 297 * POINTS_PER_MM
"""Width and height of the paper, upright."""

_MARK_LENGTH = 5 * POINTS_PER_MM

_MARK_GAP = POINTS_PER_MM
"""Paper between the bleed and a mark."""

_LEAST_BLEED = 2 * POINTS_PER_MM
"""Marks begin as if there were so much bleed, so that a knife may miss the trim a little."""

_MARK_MARGIN = 2 * POINTS_PER_MM
"""Paper beyond the marks."""

_MARK_WIDTH = 0.25

_LABEL_HEIGHT = 3 * POINTS_PER_MM


class Box(NamedTuple):
    """A rectangle on a page, in points."""

    left: float
    bottom: float
    right: float
    top: float

    def grown(self, margin: float) -> "Box":
        """This rectangle with a margin on each side."""
        return Box(self.left - margin, self.bottom - margin, self.right + margin, self.top + margin)


@dataclass(frozen=True)
class Page:
    """A page with one picture.

    media: the paper, from (0, 0). trim: what stays after cutting. bleed: what is printed beyond
    it, to be cut off. picture: where the picture is. marks: whether lines show where to cut.
    label: the name of a panel, beside its marks.
    """

    media: Box
    trim: Box
    bleed: Box
    picture: Box
    marks: bool = False
    label: str = ""

    def __post_init__(self) -> None:
        """Raises OutputError if the page is too long for PDF."""
        if max(self.media.right, self.media.top) > MAX_PAGE:
            width, height = (one / POINTS_PER_MM / 1000 for one in self.media[2:])
            raise OutputError(
                f"output pdf: its page would be {width:.2f} x {height:.2f} m, and a page of a PDF"
                " has at most 5.08 m: cut it into panels, or use tiff"
            )

    def content(self, picture: str, colours: str) -> bytes:
        """The operators that draw the page. The names are those of its resources."""
        left, bottom, right, top = self.picture
        matrix = _numbers(right - left, 0, 0, top - bottom, left, bottom)
        drawn = f"q {matrix} cm /{picture} Do Q\n"
        if self.marks:
            drawn += f"q /{colours} CS 0 0 0 SC {number_text(_MARK_WIDTH)} w\n"
            drawn += "".join(f"{_numbers(*a)} m {_numbers(*b)} l S\n" for a, b in self._marks())
            # Beside the mark at the lower left corner, far from the bleed.
            at = self.trim.left + _MARK_MARGIN, _MARK_MARGIN
            drawn += stroke_text(self.label, *at, _LABEL_HEIGHT) + "Q\n"
        return drawn.encode("ascii")

    def _marks(self) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
        """The ends of eight lines, two at each corner of the trim."""
        near = _mark_distance(self.trim.left - self.bleed.left)
        far = near + _MARK_LENGTH
        for x, across in ((self.trim.left, -1), (self.trim.right, 1)):
            for y, up in ((self.trim.bottom, -1), (self.trim.top, 1)):
                yield (x + across * near, y), (x + across * far, y)
                yield (x, y + up * near), (x, y + up * far)


def trimmed_page(size: Size, bleed: int, dpi: float, *, marks: bool, label: str = "") -> Page:
    """A page that is a picture, printed beyond the trim.

    Args:
        size: height and width of the picture with its bleed, in pixels.
        bleed: pixels on each side that are cut off.
        dpi: pixels per inch.
        marks: whether to draw crop marks, on more paper around the bleed.
        label: the name of a panel, such as `r1-c2`, which is drawn with the marks.

    Raises:
        OutputError: the page is longer than PDF allows.
    """
    point = POINTS_PER_INCH / dpi
    edge = bleed * point
    around = _mark_distance(edge) + _MARK_LENGTH + _MARK_MARGIN - edge if marks else 0.0
    height, width = (side * point for side in size)
    picture = Box(around, around, around + width, around + height)
    media = Box(0.0, 0.0, picture.right + around, picture.top + around)
    return Page(media, picture.grown(-edge), picture, picture, marks, label)


def centred_page(paper: tuple[float, float], picture: tuple[float, float]) -> Page:
    """A page with a picture in its middle. Both are (width, height) in points."""
    media = Box(0.0, 0.0, *paper)
    left, bottom = ((all_ - part) / 2 for all_, part in zip(paper, picture, strict=True))
    return Page(media, media, media, Box(left, bottom, left + picture[0], bottom + picture[1]))


def _mark_distance(bleed: float) -> float:
    """The distance of a mark from the trim."""
    return max(bleed, _LEAST_BLEED) + _MARK_GAP


def _numbers(*values: float) -> str:
    return " ".join(number_text(value) for value in values)
