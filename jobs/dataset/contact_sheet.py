"""The contact sheet: the first pictures of a dataset, before and after, on one page."""

import math
import textwrap
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from jobs.dataset.inputs.index import DatasetKeys
from jobs.dataset.tasks import SheetEntry
from jobs.dataset.thumbnail import thumbnail
from jobs.runtime.context import JobContext
from jobs.spec.dataset import MAX_SHEET
from jobs.store.errors import ObjectNotFound

# Lengths are in pixels.
_BOX = 200
_GAP = 4
_MARGIN = 28
_CELL_SPACING = (20, 16)
_TITLE_SIZE, _TITLE_HEIGHT = 26, 52
_LABEL_SIZE, _LABEL_HEIGHT = 14, 26
_FAILURE_SIZE, _FAILURE_LINE, _FAILURE_LINES, _FAILURE_MARGIN = 13, 18, 8, 14

_ASPECT = 1.5  # width by height of a sheet

_LARGE = 1 << 25  # pixels of a sheet

_BACKGROUND = (24, 25, 28)
_BOX_COLOUR = (42, 44, 49)
_TRANSPARENT_COLOUR = (140, 142, 146)
_TITLE_COLOUR = (240, 240, 242)
_LABEL_COLOUR = (166, 169, 176)
_FAILURE_COLOUR = (240, 176, 150)


@dataclass(frozen=True)
class Cell:
    """One item on the sheet.

    before, after: a picture file or its bytes; None for no picture. label: a text for people.
    failed: the reason, if the item failed.
    """

    before: Path | bytes | None
    after: Path | bytes | None
    label: str
    failed: str | None = None


@dataclass(frozen=True)
class _Boxes:
    """The boxes of a cell. side: of each, in pixels. has_pairs: whether there are two."""

    side: int
    has_pairs: bool

    @property
    def width(self) -> int:
        """The width of a cell."""
        return 2 * self.side + _GAP if self.has_pairs else self.side

    @property
    def label_size(self) -> int:
        """The size of the letters of a label, which grows with the boxes."""
        return self.side * _LABEL_SIZE // _BOX

    @property
    def label_height(self) -> int:
        """The height of the line of a label."""
        return self.side * _LABEL_HEIGHT // _BOX


def draw_contact_sheet(
    cells: Sequence[Cell], title: str, columns: int | None = None, box: int = _BOX
) -> bytes:
    """Draw a JPEG with a pair of thumbnails for each cell, row by row.

    columns: the cells in a row; by default, so many that the sheet is a little wider than high. If
    no cell has a picture from before, only results are drawn. Equal cells give equal bytes.
    box: the side of the square for a picture, in pixels.

    Raises ValueError for more than MAX_SHEET cells, or less than one column.
    """
    if len(cells) > MAX_SHEET:
        raise ValueError(f"a sheet has at most {MAX_SHEET} cells, not {len(cells)}")
    if columns is not None and columns < 1:
        raise ValueError(f"a sheet has at least 1 column, not {columns}")
    has_pairs = any(cell.before is not None for cell in cells)
    boxes = _Boxes(box, has_pairs)
    step = (boxes.width + _CELL_SPACING[0], box + boxes.label_height + _CELL_SPACING[1])
    across = columns or _default_columns(len(cells), step)
    down = max(1, math.ceil(len(cells) / across))
    size = (
        2 * _MARGIN + across * step[0] - _CELL_SPACING[0],
        2 * _MARGIN + _TITLE_HEIGHT + down * step[1] - _CELL_SPACING[1],
    )
    sheet = Image.new("RGB", size, _BACKGROUND)
    width = size[0] - 2 * _MARGIN
    _draw_text(sheet, title, (_MARGIN, _MARGIN), width, _TITLE_SIZE, _TITLE_COLOUR)
    for position, cell in enumerate(cells):
        row, column = divmod(position, across)
        left, top = _MARGIN + column * step[0], _MARGIN + _TITLE_HEIGHT + row * step[1]
        _draw_cell(sheet, cell, (left, top), boxes)
    return _encode(sheet)


def sheet_thumbnail(picture: Path | bytes) -> bytes | None:
    """Shrink a picture to its size on a sheet, as JPEG; None if it cannot be read."""
    small = thumbnail(picture, _BOX, _TRANSPARENT_COLOUR)
    return None if small is None else _encode(small)


def write_contact_sheet(
    context: JobContext,
    keys: DatasetKeys,
    entries: Sequence[SheetEntry],
    title: str,
    columns: int | None,
) -> None:
    """Draw the sheet of these items from their saved thumbnails, and write it into the store.

    Raises LeaseLost: a late holder must not replace the sheet of a later one.
    """
    store = context.store

    def saved(number: int, when: str) -> bytes | None:
        try:
            return store.get(keys.thumbnail(number, when))
        except ObjectNotFound:
            return None

    cells = [
        Cell(
            before=saved(entry.number, "before"),
            after=saved(entry.number, "after"),
            label=entry.label,
            failed=entry.failed,
        )
        for entry in entries
    ]
    content = draw_contact_sheet(cells, title, columns)
    context.check_lease()
    store.put(keys.sheet, content)


def _default_columns(count: int, step: tuple[int, int]) -> int:
    return max(1, round(math.sqrt(count * _ASPECT * step[1] / step[0])))


def _draw_cell(sheet: Image.Image, cell: Cell, corner: tuple[int, int], boxes: _Boxes) -> None:
    left, top = corner
    side = boxes.side
    if boxes.has_pairs:
        _draw_picture(sheet, cell.before, corner, side)
    after = (left + boxes.width - side, top)
    if cell.failed is None:
        _draw_picture(sheet, cell.after, after, side)
    else:
        _draw_failure(sheet, cell.failed, after, side)
    below = (left, top + side + (boxes.label_height - boxes.label_size) // 2)
    _draw_text(sheet, cell.label, below, boxes.width, boxes.label_size, _LABEL_COLOUR)


def _draw_picture(
    sheet: Image.Image, source: Path | bytes | None, corner: tuple[int, int], side: int
) -> None:
    """Draw a picture centred in its box, or an empty box."""
    left, top = corner
    sheet.paste(_BOX_COLOUR, (left, top, left + side, top + side))
    small = None if source is None else thumbnail(source, side, _TRANSPARENT_COLOUR)
    if small is not None:
        sheet.paste(small, (left + (side - small.width) // 2, top + (side - small.height) // 2))


def _draw_failure(sheet: Image.Image, text: str, corner: tuple[int, int], side: int) -> None:
    """Draw a box with the reason of a failure, on as many lines as the box has."""
    left, top = corner
    sheet.paste(_BOX_COLOUR, (left, top, left + side, top + side))
    lines = _wrap(_one_line(text), side - 2 * _FAILURE_MARGIN)
    y = top + (side - len(lines) * _FAILURE_LINE) // 2
    for line in lines:
        _draw_text(sheet, line, (left + _FAILURE_MARGIN, y), side, _FAILURE_SIZE, _FAILURE_COLOUR)
        y += _FAILURE_LINE


def _wrap(text: str, width: int) -> list[str]:
    """Break a text into lines of at most `width` pixels."""
    font = _font(_FAILURE_SIZE)
    text = text[: 3 * width]  # measuring a long trace would take too long

    def lines(characters: int) -> list[str]:
        return textwrap.wrap(text, characters, max_lines=_FAILURE_LINES, placeholder=" …")

    for characters in range(width // 4, 3, -1):
        if all(font.getlength(line) <= width for line in lines(characters)):
            return lines(characters)
    return lines(3)


def _draw_text(
    sheet: Image.Image,
    text: str,
    corner: tuple[int, int],
    width: int,
    size: int,
    colour: tuple[int, int, int],
) -> None:
    """Draw one line of text, shortened in the middle to at most `width` pixels."""
    font = _font(size)
    ImageDraw.Draw(sheet).text(corner, _shorten(_one_line(text), font, width), colour, font)


def _shorten(text: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    if font.getlength(text) <= width:
        return text

    def cut(length: int) -> str:
        return f"{text[: (length + 1) // 2]}…{text[len(text) - length // 2 :]}"

    length = bisect_right(range(len(text)), float(width), key=lambda one: font.getlength(cut(one)))
    return cut(max(0, length - 1))


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise OSError("this Pillow was built without FreeType: install Pillow's own wheel")
    return font


def _one_line(text: str) -> str:
    """Remove line breaks, and accents, which Pillow's built-in font lacks."""
    letters = unicodedata.normalize("NFKD", " ".join(text.split()))
    return "".join(one for one in letters if not unicodedata.combining(one))


def _encode(sheet: Image.Image) -> bytes:
    content = BytesIO()
    # Optimizing holds the sheet in memory three times.
    optimize = sheet.width * sheet.height < _LARGE
    # With subsampling, colours bleed out of small letters.
    sheet.save(content, "JPEG", quality=88, subsampling=0, optimize=optimize)
    return content.getvalue()
