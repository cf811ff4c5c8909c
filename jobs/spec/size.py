"""How large the result shall be: physical, in pixels, or in multiples of the input.

| text                    | meaning                                                   |
| ----------------------- | --------------------------------------------------------- |
| `60cm x 34cm @ 300dpi`  | width x height; also mm, in or " (without @: 300 dpi)     |
| `7087x4016`             | pixels; `px` may be written, and `@ 300dpi` be added       |
| `60cm x auto`           | one side given, the other from the input's aspect          |
| `x4`, `4x`, `x0.5`      | times the input, which also may have `@ 300dpi`            |
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Literal, NamedTuple

PRINT_DPI = Decimal(300)
"""The resolution of a physical size that names none."""


Unit = Literal["px", "mm", "cm", "in"]


_INCHES: dict[Unit, Fraction] = {
    "mm": Fraction(10, 254),
    "cm": Fraction(100, 254),
    "in": Fraction(1),
}

_UNITS: dict[str, Unit] = {"": "px", "px": "px", "mm": "mm", "cm": "cm", "in": "in", '"': "in"}


# Twelve digits are beyond any picture, and keep the arithmetic small.
_NUMBER = r"(?:\d{1,12}(?:\.\d{0,12})?|\.\d{1,12})"

_SIDE = rf"auto|{_NUMBER}\s*(?:px|mm|cm|in|\")?"

_DPI = rf"(?:@\s*(?P<dpi>{_NUMBER})\s*(?:dpi)?)?"

_SIDES = re.compile(rf"(?P<width>{_SIDE})\s*[x×]\s*(?P<height>{_SIDE})\s*{_DPI}", re.ASCII)

_TIMES = re.compile(rf"(?:[x×]\s*(?P<after>{_NUMBER})|(?P<before>{_NUMBER})\s*[x×])\s*{_DPI}")


_ALLOWED = "write 60cm x 34cm @ 300dpi, 7087x4016, 60cm x auto, or x4"


class Extent(NamedTuple):
    """A size in whole pixels, each at least 1, and the resolution to note in files, if any."""

    height: int
    width: int
    dpi: float | None


@dataclass(frozen=True)
class Length:
    """One side: a number above 0 and its unit."""

    value: Decimal
    unit: Unit = "px"

    def __post_init__(self) -> None:
        _above_zero(self.value, "a side")

    def __str__(self) -> str:
        return _plain(self.value) + ("" if self.unit == "px" else self.unit)

    @property
    def is_physical(self) -> bool:
        """Whether the pixels depend on a resolution."""
        return self.unit != "px"

    def pixels(self, dpi: Decimal | None) -> Fraction:
        """The exact number of pixels at that resolution."""
        value = Fraction(self.value)
        if not self.is_physical:
            return value
        return value * _INCHES[self.unit] * Fraction(PRINT_DPI if dpi is None else dpi)


@dataclass(frozen=True)
class Sides:
    """Width and height; one of them may be None: `auto`, from the input's aspect.

    dpi: the resolution, above 0; None for a size in pixels that names none.
    """

    width: Length | None
    height: Length | None
    dpi: Decimal | None = None

    def __post_init__(self) -> None:
        if self.width is None and self.height is None:
            raise ValueError(f"one side may be auto, not both; {_ALLOWED}")
        if self.width and self.height and self.width.is_physical != self.height.is_physical:
            raise ValueError(f"one side has a unit, the other is in pixels; {_ALLOWED}")
        _above_zero(self.dpi, "dpi")

    def __str__(self) -> str:
        return f"{self.width or 'auto'} x {self.height or 'auto'}{_at(self.dpi)}"

    @property
    def needs_input(self) -> bool:
        """Whether the input's own size is part of the answer."""
        return self.width is None or self.height is None

    def resolve(self, input_height: int, input_width: int) -> Extent:
        """The size in pixels, for an input of that size: rounded half up, at least 1.

        A side that is `auto` follows from the other one's whole pixels.
        """
        aspect = Fraction(input_width, input_height)
        width = self._whole_pixels(self.width, self.height, aspect)
        height = self._whole_pixels(self.height, self.width, 1 / aspect)
        physical = any(side and side.is_physical for side in (self.width, self.height))
        return _extent(height, width, PRINT_DPI if self.dpi is None and physical else self.dpi)

    def _whole_pixels(self, side: Length | None, other: Length | None, aspect: Fraction) -> int:
        if side is None:
            return _whole(self._whole_pixels(other, side, 1 / aspect) * aspect)
        return _whole(side.pixels(self.dpi))


@dataclass(frozen=True)
class Times:
    """The input's own size times a factor above 0."""

    factor: Decimal
    dpi: Decimal | None = None

    def __post_init__(self) -> None:
        _above_zero(self.factor, "the factor")
        _above_zero(self.dpi, "dpi")

    def __str__(self) -> str:
        return f"x{_plain(self.factor)}{_at(self.dpi)}"

    @property
    def needs_input(self) -> bool:
        """Always: the input's own size is part of the answer."""
        return True

    def resolve(self, input_height: int, input_width: int) -> Extent:
        """The size in pixels, for an input of that size: rounded half up, at least 1."""
        factor = Fraction(self.factor)
        return _extent(_whole(input_height * factor), _whole(input_width * factor), self.dpi)


Size = Sides | Times
"""A requested size: `str` gives the text that `parse_size` reads back to the same value."""


def parse_size(text: str) -> Size:
    """The size that a text asks for (see the table above).

    Raises ValueError, saying what is allowed.
    """
    words = " ".join(text.lower().split())
    if match := _TIMES.fullmatch(words):
        return Times(Decimal(match["after"] or match["before"]), _number(match["dpi"]))
    if match := _SIDES.fullmatch(words):
        return Sides(_side(match["width"]), _side(match["height"]), _number(match["dpi"]))
    raise ValueError(f"'{text}' is not a size; {_ALLOWED}")


def _side(text: str) -> Length | None:
    if text == "auto":
        return None
    number = text.rstrip('pxmcin" ')
    return Length(Decimal(number), _UNITS[text.removeprefix(number).strip()])


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _above_zero(value: Decimal | None, what: str) -> None:
    if value is not None and value <= 0:
        raise ValueError(f"{what} must be above 0; {_ALLOWED}")


def _whole(value: Fraction) -> int:
    return max(1, floor(value + Fraction(1, 2)))


def _extent(height: int, width: int, dpi: Decimal | None) -> Extent:
    return Extent(height, width, None if dpi is None else float(dpi))


def _plain(value: Decimal) -> str:
    return format(value.normalize(), "f")


def _at(dpi: Decimal | None) -> str:
    return "" if dpi is None else f" @ {_plain(dpi)}dpi"


INPUT_SIZE = Times(Decimal(1))
"""What a request that names no size gets: as large as the input."""
