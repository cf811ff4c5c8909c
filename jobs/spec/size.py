"""The requested size of a poster: physical, in pixels, or a multiple of the input.

| text                    | meaning                                                   |
| ----------------------- | --------------------------------------------------------- |
| `60cm x 34cm @ 300dpi`  | width x height; also mm, in or "; the default is 300 dpi  |
| `7087x4016`             | pixels; `px` and `@ 300dpi` are optional                   |
| `60cm x auto`           | one side; the other follows from the input's aspect        |
| `x4`, `4x`, `x0.5`      | times the size of the input; `@ 300dpi` is optional        |
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Literal, NamedTuple

PRINT_DPI = Decimal(300)
"""The default resolution of a physical size."""


Unit = Literal["px", "mm", "cm", "in"]


_INCHES: dict[Unit, Fraction] = {
    "mm": Fraction(10, 254),
    "cm": Fraction(100, 254),
    "in": Fraction(1),
}

_UNITS: dict[str, Unit] = {"": "px", "px": "px", "mm": "mm", "cm": "cm", "in": "in", '"': "in"}


# Twelve digits suffice for any picture, and limit the cost of exact arithmetic.
_NUMBER = r"(?:\d{1,12}(?:\.\d{0,12})?|\.\d{1,12})"

_SIDE = rf"auto|{_NUMBER}\s*(?:px|mm|cm|in|\")?"

_DPI = rf"(?:@\s*(?P<dpi>{_NUMBER})\s*(?:dpi)?)?"

_BOTH_SIDES = re.compile(rf"(?P<width>{_SIDE})\s*[x×]\s*(?P<height>{_SIDE})\s*{_DPI}", re.ASCII)

_MULTIPLE = re.compile(rf"(?:[x×]\s*(?P<after>{_NUMBER})|(?P<before>{_NUMBER})\s*[x×])\s*{_DPI}")


_ALLOWED = "write 60cm x 34cm @ 300dpi, 7087x4016, 60cm x auto, or x4"


class PixelSize(NamedTuple):
    """Height and width in pixels, each at least 1, and the resolution to write into files."""

    height: int
    width: int
    dpi: float | None


@dataclass(frozen=True)
class Length:
    """The length of one side; the value is above 0."""

    value: Decimal
    unit: Unit = "px"

    def __post_init__(self) -> None:
        _check_positive(self.value, "a side")

    def __str__(self) -> str:
        return _number_text(self.value) + ("" if self.unit == "px" else self.unit)

    @property
    def is_physical(self) -> bool:
        """Whether the number of pixels depends on a resolution."""
        return self.unit != "px"

    def pixels(self, dpi: Decimal | None) -> Fraction:
        """The exact number of pixels at a resolution; None means 300 dpi."""
        value = Fraction(self.value)
        if not self.is_physical:
            return value
        return value * _INCHES[self.unit] * Fraction(PRINT_DPI if dpi is None else dpi)


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
            raise ValueError(f"only one side may be auto; {_ALLOWED}")
        if self.width and self.height and self.width.is_physical != self.height.is_physical:
            raise ValueError(f"one side is physical, the other in pixels; {_ALLOWED}")
        _check_positive(self.dpi, "dpi")

    def __str__(self) -> str:
        return f"{self.width or 'auto'} x {self.height or 'auto'}{_dpi_text(self.dpi)}"

    @property
    def needs_input(self) -> bool:
        """Whether the size depends on that of the input."""
        return self.width is None or self.height is None

    def resolve(self, input_height: int, input_width: int) -> PixelSize:
        """The size in pixels for an input of that size, rounded half up, at least 1.

        An `auto` side follows from the rounded pixels of the other side.
        """
        aspect = Fraction(input_width, input_height)
        width = self._whole_pixels(self.width, self.height, aspect)
        height = self._whole_pixels(self.height, self.width, 1 / aspect)
        physical = any(side and side.is_physical for side in (self.width, self.height))
        return _pixel_size(height, width, PRINT_DPI if self.dpi is None and physical else self.dpi)

    def _whole_pixels(self, side: Length | None, other: Length | None, aspect: Fraction) -> int:
        if side is None:
            return _round_half_up(self._whole_pixels(other, side, 1 / aspect) * aspect)
        return _round_half_up(side.pixels(self.dpi))


@dataclass(frozen=True)
class InputMultiple:
    """The size of the input times a factor above 0."""

    factor: Decimal
    dpi: Decimal | None = None

    def __post_init__(self) -> None:
        _check_positive(self.factor, "the factor")
        _check_positive(self.dpi, "dpi")

    def __str__(self) -> str:
        return f"x{_number_text(self.factor)}{_dpi_text(self.dpi)}"

    @property
    def needs_input(self) -> bool:
        """Always true: the size depends on that of the input."""
        return True

    def resolve(self, input_height: int, input_width: int) -> PixelSize:
        """The size in pixels for an input of that size, rounded half up, at least 1."""
        factor = Fraction(self.factor)
        return _pixel_size(
            _round_half_up(input_height * factor), _round_half_up(input_width * factor), self.dpi
        )


Fit = Literal["stretch"]
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


Size = SideLengths | InputMultiple
"""A requested size; `parse_size` parses its `str` back to an equal value."""


def parse_size(text: str) -> Size:
    """Parse a text from the table above. Raises ValueError, which lists the valid forms."""
    normalized = " ".join(text.lower().split())
    if match := _MULTIPLE.fullmatch(normalized):
        return InputMultiple(
            Decimal(match["after"] or match["before"]), _parse_number(match["dpi"])
        )
    if match := _BOTH_SIDES.fullmatch(normalized):
        return SideLengths(
            _parse_side(match["width"]), _parse_side(match["height"]), _parse_number(match["dpi"])
        )
    raise ValueError(f"'{text}' is not a size; {_ALLOWED}")


def _parse_side(text: str) -> Length | None:
    if text == "auto":
        return None
    number = text.rstrip('pxmcin" ')
    return Length(Decimal(number), _UNITS[text.removeprefix(number).strip()])


def _parse_number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _check_positive(value: Decimal | None, what: str) -> None:
    if value is not None and value <= 0:
        raise ValueError(f"{what} must be above 0; {_ALLOWED}")


def _round_half_up(value: Fraction) -> int:
    return max(1, floor(value + Fraction(1, 2)))


def _pixel_size(height: int, width: int, dpi: Decimal | None) -> PixelSize:
    return PixelSize(height, width, None if dpi is None else float(dpi))


def _number_text(value: Decimal) -> str:
    return format(value.normalize(), "f")


def _dpi_text(dpi: Decimal | None) -> str:
    return "" if dpi is None else f" @ {_number_text(dpi)}dpi"


INPUT_SIZE = InputMultiple(Decimal(1))
"""The default size: that of the input."""
