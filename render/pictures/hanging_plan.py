"""The hanging plan of panels: a page of A4 with the picture, and where each panel belongs."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from render.geometry.rect import Rect
from render.pictures.bands import BandStream, Encoders, encoders
from render.pictures.output_errors import encoder_errors
from render.pictures.panels import Panel, PanelGrid
from render.pictures.pdf_objects import Dictionary, Name, PdfWriter, number_text, text_string
from render.pictures.pdf_page import A4, POINTS_PER_MM, Box
from render.pictures.png_encode import zlib_parts
from render.pictures.write import write_file

_MARGIN = 15 * POINTS_PER_MM

_TITLE, _TEXT, _SMALLEST = 14.0, 9.0, 3.0
"""Sizes of letters, in points. Names of panels have at least the smallest."""

_LINE = 1.3
"""The distance of two lines, for each point of their letters."""

_LETTER = 0.6
"""More than the mean width of a letter of Helvetica, for each point of its size."""

_FONT, _PICTURE = "F0", "Im0"

_MM_PER_INCH = 25.4


@dataclass(frozen=True)
class HangingPlan:
    """What a plan says.

    title: printable ASCII. bleed: pixels that each panel has beyond its size, on each side.
    """

    title: str
    grid: PanelGrid
    bleed: int
    dpi: float

    @property
    def paper(self) -> tuple[float, float]:
        """Width and height of the page, which lies like the picture."""
        height, width = self.grid.size
        return (max(A4), min(A4)) if width > height else A4

    def lines(self) -> list[str]:
        """The text above the picture."""
        grid = self.grid
        count = grid.rows * grid.columns
        rows, columns = _counted(grid.rows, "row"), _counted(grid.columns, "column")
        bleed = f"{self._mm(self.bleed)} mm of bleed go on each side" if self.bleed else "no bleed"
        shared = f"{self._mm(grid.overlap)} mm" if grid.overlap else "nothing"
        last = list(grid.panels())[-1].pixels
        return [
            f"{self._size(Rect(0, 0, *grid.size))}: {_counted(count, 'panel')} in {rows} and"
            f" {columns}, named by row and column from the top left.",
            f"Columns: {self._sides(grid.columns, grid.panel[1], last.width, 'wide')}."
            f" Rows: {self._sides(grid.rows, grid.panel[0], last.height, 'high')}.",
            f"Sizes are after trimming: {bleed}. Neighbours share {shared}.",
        ]

    def picture_box(self) -> Box:
        """Where the picture is on the page."""
        width, height = self.paper
        below = _MARGIN + (_TITLE + len(self.lines()) * _TEXT) * _LINE + _TEXT
        inner = width - 2 * _MARGIN, height - below - _MARGIN
        scale = min(inner[0] / self.grid.size[1], inner[1] / self.grid.size[0])
        wide, high = self.grid.size[1] * scale, self.grid.size[0] * scale
        left, top = (width - wide) / 2, height - below
        return Box(left, top - high, left + wide, top)

    def content(self) -> bytes:
        """The operators that draw the page."""
        return "".join(self._operators()).encode("ascii")

    def _operators(self) -> Iterator[str]:
        box = self.picture_box()
        y = self.paper[1] - _MARGIN - _TITLE
        yield _text(_MARGIN, y, _TITLE, self.title)
        for line in self.lines():
            y -= _TEXT * _LINE
            yield _text(_MARGIN, y, _TEXT, line)
        wide, high = (number_text(one) for one in (box.right - box.left, box.top - box.bottom))
        at = f"{number_text(box.left)} {number_text(box.bottom)}"
        yield f"q {wide} 0 0 {high} {at} cm /{_PICTURE} Do Q\n"
        scale = (box.right - box.left) / self.grid.size[1]
        panels = list(self.grid.panels())
        for colour, width in (("1 G", 1.5), ("0 G", 0.5)):
            yield f"{colour} {width} w\n"
            for one in panels:
                yield f"{_rectangle(_place(one.pixels, box, scale))} S\n"
        for one in panels:
            yield self._panel_label(one, _place(one.pixels, box, scale))

    def _panel_label(self, panel: Panel, place: Box) -> str:
        """The name and the size of a panel, on white, in its upper left corner."""
        lines = [self.grid.name(panel), self._size(panel.pixels)]
        across, down = place.right - place.left, place.top - place.bottom
        longest = max(map(len, lines))
        points = min(_TEXT, across / (longest + 2) / _LETTER, down / 4)
        if points < _SMALLEST:
            lines = lines[:1]
            longest = len(lines[0])
            points = max(_SMALLEST, min(_TEXT, across / (longest + 2) / _LETTER, down / 2))
        left, top = place.left + points / 2, place.top - points / 2
        wide, high = longest * points * _LETTER, len(lines) * points * _LINE
        drawn = f"1 g {_rectangle(Box(left, top - high, left + wide, top))} f 0 g\n"
        for line in lines:
            top -= points * _LINE
            drawn += _text(left + points * 0.2, top + points * 0.3, points, line)
        return drawn

    def _sides(self, count: int, panel: int, last: int, what: str) -> str:
        each = f"{self._mm(panel)} mm {what}"
        return each if count == 1 or last == panel else f"{each}, the last {self._mm(last)} mm"

    def _size(self, pixels: Rect) -> str:
        return f"{self._mm(pixels.width)} x {self._mm(pixels.height)} mm"

    def _mm(self, pixels: int) -> str:
        return number_text(round(pixels / self.dpi * _MM_PER_INCH, 1))


def write_hanging_plan(path: Path, plan: HangingPlan, picture: np.ndarray) -> str:
    """Write the plan as a PDF, and return its `output_digest`. Raises OutputError.

    picture: a small copy of the whole picture, (h, w, 3) of uint8.
    """
    with encoder_errors(path), encoders(1) as pool:
        return write_file(path, _parts(plan, picture, pool))


def _parts(plan: HangingPlan, picture: np.ndarray, pool: Encoders) -> Iterator[bytes]:
    height, width, _ = picture.shape
    writer = PdfWriter()
    root, info, tree, page, content, image = (writer.reserve() for _ in range(6))
    yield writer.header()
    yield writer.object(info, {"Title": plan.title, "Producer": "Dreamfarm"})
    predictor: Dictionary = {"Predictor": 15, "Colors": 3, "Columns": width}
    samples: Dictionary = {
        "Type": Name("XObject"),
        "Subtype": Name("Image"),
        "Width": width,
        "Height": height,
        "BitsPerComponent": 8,
        "ColorSpace": Name("DeviceRGB"),
        "Filter": Name("FlateDecode"),
        "DecodeParms": predictor,
    }
    parts = zlib_parts(BandStream(height, width, 8, [picture]), pool)
    yield from writer.long_stream(image, samples, parts)
    yield writer.stream(content, {}, plan.content())
    font = {"Type": Name("Font"), "Subtype": Name("Type1"), "BaseFont": Name("Helvetica")}
    entries: Dictionary = {
        "Type": Name("Page"),
        "Parent": tree,
        "MediaBox": [0, 0, *plan.paper],
        "Resources": {"XObject": {_PICTURE: image}, "Font": {_FONT: font}},
        "Contents": content,
    }
    yield writer.object(page, entries)
    yield writer.object(tree, {"Type": Name("Pages"), "Kids": [page], "Count": 1})
    yield writer.object(root, {"Type": Name("Catalog"), "Pages": tree})
    yield writer.end(root, info, _file_id(plan))


def _file_id(plan: HangingPlan) -> bytes:
    return hashlib.sha256(repr(plan).encode()).digest()[:16]


def _place(pixels: Rect, box: Box, scale: float) -> Box:
    """Where pixels of the picture are on the page."""
    return Box(
        box.left + pixels.left * scale,
        box.top - pixels.bottom * scale,
        box.left + pixels.right * scale,
        box.top - pixels.top * scale,
    )


def _rectangle(box: Box) -> str:
    sides = box.left, box.bottom, box.right - box.left, box.top - box.bottom
    return " ".join(map(number_text, sides)) + " re"


def _text(x: float, y: float, points: float, text: str) -> str:
    place = f"{number_text(points)} Tf {number_text(x)} {number_text(y)} Td"
    return f"BT /{_FONT} {place} {text_string(text)} Tj ET\n"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
