"""The requested size of a poster, in people's words.

| text                    | meaning                                                    |
| ----------------------- | ---------------------------------------------------------- |
| `60cm x 34cm @ 300dpi`  | width x height; also mm, m, in, ft or "; default: 300 dpi  |
| `24x36in`               | one unit for both sides                                    |
| `7087x4016`             | pixels; `px` and `@ 300dpi` are optional                   |
| `60cm x auto`           | one side; the other follows from the input's aspect        |
| `A2`, `A0 landscape`    | ISO papers; without `landscape` or `portrait` as the input |
| `300px`, `300`, `60cm`  | the longer side                                            |
| `20MP`                  | megapixels                                                 |
| `x4`, `4x`, `50%`       | times the size of the input                                |

Each may end with `@ 150dpi`, or with `seen from 3m`: what an eye resolves there.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from jobs.spec.length import (
    ALLOWED_SIZES,
    DPI,
    NUMBER,
    PRINT_DPI,
    Length,
    PixelSize,
    Unit,
    check_positive,
    dpi_text,
    parsed_dpi,
    pixel_size,
    round_half_up,
)
from jobs.spec.size_of_input import (
    PAPERS,
    InputMultiple,
    LongerSide,
    Megapixels,
    Orientation,
    Paper,
)

_UNITS: dict[str, Unit] = {
    "": "px",
    "px": "px",
    "mm": "mm",
    "cm": "cm",
    "m": "m",
    "in": "in",
    '"': "in",
    "ft": "ft",
}

_LENGTH = rf"{NUMBER}\s*(?:px|mm|cm|m|in|ft|\")?"

_SIDE = rf"auto|{_LENGTH}"

_BOTH_SIDES = re.compile(rf"(?P<width>{_SIDE})\s*[x×]\s*(?P<height>{_SIDE})\s*{DPI}", re.ASCII)

_LONGER = re.compile(rf"(?P<side>{_LENGTH})\s*{DPI}", re.ASCII)

_MULTIPLE = re.compile(rf"(?:[x×]\s*(?P<after>{NUMBER})|(?P<before>{NUMBER})\s*[x×])\s*{DPI}")

_PERCENT = re.compile(rf"(?P<percent>{NUMBER})\s*%\s*{DPI}", re.ASCII)

_MEGAPIXELS = re.compile(rf"(?P<millions>{NUMBER})\s*mp\s*{DPI}", re.ASCII)

_PAPER = re.compile(rf"a(?P<paper>\d\d?)\s*(?P<turned>portrait|landscape)?\s*{DPI}", re.ASCII)


@dataclass(frozen=True)
class SideLengths:
    """A size by its sides. One may be None (`auto`): it follows from the input's aspect.

    dpi: the resolution, above 0, or None if not given.
    """

    width: Length | None
    height: Length | None
    dpi: Decimal | None = None

    def __post_init__(self) -> None:
        if self.width is None and self.height is None:
            raise ValueError(f"only one side may be auto; {ALLOWED_SIZES}")
        if self.width and self.height and self.width.is_physical != self.height.is_physical:
            raise ValueError(f"one side is physical, the other in pixels; {ALLOWED_SIZES}")
        check_positive(self.dpi, "dpi")

    def __str__(self) -> str:
        return f"{self.width or 'auto'} x {self.height or 'auto'}{dpi_text(self.dpi)}"

    @property
    def needs_input(self) -> bool:
        """Whether the size depends on that of the input."""
        return self.width is None or self.height is None

    def shape(self, input_height: int, input_width: int) -> tuple[int, int]:
        """The exact ratio of height to width; that of the input if a side is `auto`."""
        if self.width is None or self.height is None:
            return input_height, input_width
        return (self.height.pixels(self.dpi) / self.width.pixels(self.dpi)).as_integer_ratio()

    def resolve(self, input_height: int, input_width: int) -> PixelSize:
        """The size in pixels for an input of that size, rounded half up, at least 1.

        An `auto` side follows from the rounded pixels of the other side.
        """
        aspect = Fraction(input_width, input_height)
        width = self._whole_pixels(self.width, self.height, aspect)
        height = self._whole_pixels(self.height, self.width, 1 / aspect)
        physical = any(side and side.is_physical for side in (self.width, self.height))
        dpi = PRINT_DPI if self.dpi is None and physical else self.dpi
        return pixel_size(Fraction(height), Fraction(width), dpi)

    def _whole_pixels(self, side: Length | None, other: Length | None, aspect: Fraction) -> int:
        if side is None:
            return round_half_up(self._whole_pixels(other, side, 1 / aspect) * aspect)
        return round_half_up(side.pixels(self.dpi))


Fit = Literal["stretch", "crop", "pad"]
"""What to do with a picture that has another aspect than its result. By default it is refused."""


_MAX_SQUASH = Fraction(3, 100)


def is_squashed(height: int, width: int, result_height: int, result_width: int) -> bool:
    """Whether a result of that size would show the picture visibly squashed or stretched.

    Three percent count as the same aspect, and so does a pixel that rounding adds.
    """
    ratio = Fraction(result_width * height, result_height * width)
    missing_rows = Fraction(result_width * height, width) - result_height
    missing_columns = Fraction(result_height * width, height) - result_width
    is_rounded = min(abs(missing_rows), abs(missing_columns)) <= 1
    return not is_rounded and max(ratio, 1 / ratio) > 1 + _MAX_SQUASH


Size = SideLengths | InputMultiple | LongerSide | Megapixels | Paper
"""A requested size; `parse_size` parses its `str` back to an equal value."""


def parse_size(text: str) -> Size:
    """Parse a text from the table above. Raises ValueError, which lists the valid forms."""
    normalized = " ".join(text.lower().split())
    if match := _MULTIPLE.fullmatch(normalized):
        return InputMultiple(Decimal(match["after"] or match["before"]), parsed_dpi(match))
    if match := _PERCENT.fullmatch(normalized):
        return InputMultiple(Decimal(match["percent"]) / 100, parsed_dpi(match))
    if match := _MEGAPIXELS.fullmatch(normalized):
        return Megapixels(Decimal(match["millions"]), parsed_dpi(match))
    if match := _LONGER.fullmatch(normalized):
        return LongerSide(_parse_length(match["side"]), parsed_dpi(match))
    if match := _BOTH_SIDES.fullmatch(normalized):
        return _both_sides(match)
    match = _PAPER.fullmatch(normalized)
    if match and int(match["paper"]) < PAPERS:
        orientation: Orientation | None = match["turned"]  # type: ignore[assignment]
        return Paper(int(match["paper"]), orientation, parsed_dpi(match))
    raise ValueError(f"'{text}' is not a size; {ALLOWED_SIZES}")


def _both_sides(match: re.Match[str]) -> SideLengths:
    """The sides of a match. A width without a unit takes that of the height: 24x36in."""
    texts = match["width"].strip(), match["height"].strip()
    width, height = (None if text == "auto" else _parse_length(text) for text in texts)
    if width and height and texts[0][-1].isdecimal() and height.is_physical:
        width = Length(width.value, height.unit)
    return SideLengths(width, height, parsed_dpi(match))


def _parse_length(text: str) -> Length:
    number = text.rstrip('pxmcinft" ')
    return Length(Decimal(number), _UNITS[text.removeprefix(number).strip()])
