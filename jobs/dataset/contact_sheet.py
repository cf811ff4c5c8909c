"""The contact sheet: a dataset's pictures before and after, on one page."""

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

from jobs.dataset.keys import DatasetKeys
from jobs.dataset.thumbnail import thumbnail
from jobs.dataset.worker_tasks import SheetEntry
from jobs.spec.dataset import MAX_SHEET
from jobs.store.errors import ObjectNotFound
from jobs.store.store import Store

_BOX = 200  # pixels, as all lengths here


_GAP = 4


_MARGIN = 28


_BETWEEN = (20, 16)


_TITLE_SIZE, _TITLE_HEIGHT = 26, 52


_LABEL_SIZE, _LABEL_HEIGHT = 14, 26


_REASON_SIZE, _REASON_LINE, _REASON_LINES, _REASON_MARGIN = 13, 18, 8, 14


_ASPECT = 1.5


_LARGE = 1 << 25


_GROUND = (24, 25, 28)


_MAT = (42, 44, 49)


_GREY = (140, 142, 146)


_BRIGHT = (240, 240, 242)


_DIM = (166, 169, 176)


_ALARM = (240, 176, 150)


@dataclass(frozen=True)
class Cell:
    """One item: its input, its result, a line below, and why it failed if it did.

    before, after: a picture file or its bytes; None where there is none to show.
    """

    before: Path | bytes | None
    after: Path | bytes | None
    label: str
    failed: str | None = None


def draw_contact_sheet(cells: Sequence[Cell], title: str, columns: int | None = None) -> bytes:
    """A JPEG with a pair of thumbnails for each cell, row by row.

    columns: in a row; None: so many that the sheet is a little wider than high. Where no cell has
    a picture from before, only results are shown. The same cells give the same bytes.

    Raises ValueError for more than MOST_SHOWN cells, or less than one column.
    """
    if len(cells) > MAX_SHEET:
        raise ValueError(f"a sheet has at most {MAX_SHEET} cells, not {len(cells)}")
    if columns is not None and columns < 1:
        raise ValueError(f"a sheet has at least 1 column, not {columns}")
    has_pairs = any(cell.before is not None for cell in cells)
    step = (_width(has_pairs) + _BETWEEN[0], _BOX + _LABEL_HEIGHT + _BETWEEN[1])
    across = columns or _columns(len(cells), step)
    down = max(1, math.ceil(len(cells) / across))
    size = (
        2 * _MARGIN + across * step[0] - _BETWEEN[0],
        2 * _MARGIN + _TITLE_HEIGHT + down * step[1] - _BETWEEN[1],
    )
    sheet = Image.new("RGB", size, _GROUND)
    _line(sheet, title, (_MARGIN, _MARGIN), size[0] - 2 * _MARGIN, _TITLE_SIZE, _BRIGHT)
    for place, cell in enumerate(cells):
        row, column = divmod(place, across)
        left, top = _MARGIN + column * step[0], _MARGIN + _TITLE_HEIGHT + row * step[1]
        _draw(sheet, cell, (left, top), has_pairs=has_pairs)
    return _encoded(sheet)


def sheet_thumbnail(picture: Path | bytes) -> bytes | None:
    """A picture as small as a sheet shows it, as JPEG; None for what cannot be shown."""
    small = thumbnail(picture, _BOX, _GREY)
    return None if small is None else _encoded(small)


def _width(has_pairs: bool) -> int:
    return 2 * _BOX + _GAP if has_pairs else _BOX


def _columns(count: int, step: tuple[int, int]) -> int:
    return max(1, round(math.sqrt(count * _ASPECT * step[1] / step[0])))


def _draw(sheet: Image.Image, cell: Cell, corner: tuple[int, int], *, has_pairs: bool) -> None:
    left, top = corner
    if has_pairs:
        _picture(sheet, cell.before, corner)
    after = (left + _width(has_pairs) - _BOX, top)
    if cell.failed is None:
        _picture(sheet, cell.after, after)
    else:
        _reason(sheet, cell.failed, after)
    below = (left, top + _BOX + (_LABEL_HEIGHT - _LABEL_SIZE) // 2)
    _line(sheet, cell.label, below, _width(has_pairs), _LABEL_SIZE, _DIM)


def _picture(sheet: Image.Image, source: Path | bytes | None, corner: tuple[int, int]) -> None:
    """A picture in the middle of its box; the box alone where there is none to show."""
    left, top = corner
    sheet.paste(_MAT, (left, top, left + _BOX, top + _BOX))
    small = None if source is None else thumbnail(source, _BOX, _GREY)
    if small is not None:
        sheet.paste(small, (left + (_BOX - small.width) // 2, top + (_BOX - small.height) // 2))


def _reason(sheet: Image.Image, text: str, corner: tuple[int, int]) -> None:
    """A box with the reason in its middle, in as many lines as it needs and the box has."""
    left, top = corner
    sheet.paste(_MAT, (left, top, left + _BOX, top + _BOX))
    lines = _wrapped(_plain(text), _BOX - 2 * _REASON_MARGIN)
    y = top + (_BOX - len(lines) * _REASON_LINE) // 2
    for line in lines:
        _line(sheet, line, (left + _REASON_MARGIN, y), _BOX, _REASON_SIZE, _ALARM)
        y += _REASON_LINE


def _wrapped(text: str, width: int) -> list[str]:
    """Lines no wider than so many pixels."""
    font = _font(_REASON_SIZE)
    text = text[: 3 * width]  # a trace of megabytes is not worth measuring

    def lines(characters: int) -> list[str]:
        return textwrap.wrap(text, characters, max_lines=_REASON_LINES, placeholder=" …")

    for characters in range(width // 4, 3, -1):
        if all(font.getlength(line) <= width for line in lines(characters)):
            return lines(characters)
    return lines(3)


def _line(
    sheet: Image.Image,
    text: str,
    corner: tuple[int, int],
    width: int,
    size: int,
    colour: tuple[int, int, int],
) -> None:
    """One line of text, cut in the middle where it is wider than so many pixels."""
    font = _font(size)
    ImageDraw.Draw(sheet).text(corner, _fitted(_plain(text), font, width), colour, font)


def _fitted(text: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    if font.getlength(text) <= width:
        return text

    def cut(kept: int) -> str:
        return f"{text[: (kept + 1) // 2]}…{text[len(text) - kept // 2 :]}"

    kept = bisect_right(range(len(text)), float(width), key=lambda kept: font.getlength(cut(kept)))
    return cut(max(0, kept - 1))


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise OSError("this Pillow was built without FreeType: install Pillow's own wheel")
    return font


def _plain(text: str) -> str:
    """In one line, without the accents, which Pillow's own font does not have."""
    letters = unicodedata.normalize("NFKD", " ".join(text.split()))
    return "".join(one for one in letters if not unicodedata.combining(one))


def _encoded(sheet: Image.Image) -> bytes:
    content = BytesIO()
    # Optimised, a sheet lies in memory three times.
    optimize = sheet.width * sheet.height < _LARGE
    # Without subsampling: colours bleed out of small letters otherwise.
    sheet.save(content, "JPEG", quality=88, subsampling=0, optimize=optimize)
    return content.getvalue()


def write_contact_sheet(
    store: Store,
    keys: DatasetKeys,
    exhibits: tuple[SheetEntry, ...],
    title: str,
    columns: int | None,
) -> None:
    """Write the sheet that shows these, in their order, into the store."""

    def laid_aside(number: int, when: str) -> bytes | None:
        try:
            return store.get(keys.thumbnail(number, when))
        except ObjectNotFound:
            return None

    cells = [
        Cell(
            before=laid_aside(one.number, "before"),
            after=laid_aside(one.number, "after"),
            label=one.label,
            failed=one.failed,
        )
        for one in exhibits
    ]
    store.put(keys.sheet, draw_contact_sheet(cells, title, columns))
