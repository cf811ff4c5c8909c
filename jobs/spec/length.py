"""Lengths, resolutions and pixels: what all forms of a size share."""

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor, radians, tan
from typing import Literal, NamedTuple

PRINT_DPI = Decimal(300)
"""The default resolution of a physical size."""

_EYE = tan(radians(1 / 60))
"""An eye resolves one arc minute: this part of the distance."""

Unit = Literal["px", "mm", "cm", "m", "in", "ft"]


INCHES: dict[Unit, Fraction] = {
    "mm": Fraction(10, 254),
    "cm": Fraction(100, 254),
    "m": Fraction(10_000, 254),
    "in": Fraction(1),
    "ft": Fraction(12),
}

# Twelve digits suffice for any picture, and limit the cost of exact arithmetic.
NUMBER = r"(?:\d{1,12}(?:\.\d{0,12})?|\.\d{1,12})"

DPI = (
    rf"(?:@\s*(?P<dpi>{NUMBER})\s*(?:dpi)?"
    rf"|(?:@\s*)?seen\s+from\s+(?P<distance>{NUMBER})\s*(?P<eye>mm|cm|m|in|ft))?"
)
"""The end of a size: its resolution, or the distance of an eye."""


ALLOWED_SIZES = (
    "write 60cm x 34cm @ 300dpi, 24x36in, A2, A0 landscape, 7087x4016, 60cm x auto, 300px (the "
    "longer side), 20MP, 50% or x4"
)


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
        check_positive(self.value, "a side")

    def __str__(self) -> str:
        return number_text(self.value) + ("" if self.unit == "px" else self.unit)

    @property
    def is_physical(self) -> bool:
        """Whether the number of pixels depends on a resolution."""
        return self.unit != "px"

    def pixels(self, dpi: Decimal | None) -> Fraction:
        """The exact number of pixels at a resolution; None means 300 dpi."""
        value = Fraction(self.value)
        if not self.is_physical:
            return value
        return value * INCHES[self.unit] * Fraction(PRINT_DPI if dpi is None else dpi)


def parsed_dpi(match: re.Match[str]) -> Decimal | None:
    """The resolution that a match of DPI names; None without one. Raises ValueError for 0.

    For an eye at a distance it is the whole number from which on pixels cannot be told apart.
    """
    if match["dpi"] is not None:
        return Decimal(match["dpi"])
    if match["distance"] is None:
        return None
    check_positive(Decimal(match["distance"]), "a distance")
    unit: Unit = match["eye"]  # type: ignore[assignment]  # the pattern allows units only
    return Decimal(ceil(1 / (float(match["distance"]) * float(INCHES[unit]) * _EYE)))


def check_positive(value: Decimal | None, what: str) -> None:
    """Raise ValueError unless a number is above 0 or None."""
    if value is not None and value <= 0:
        raise ValueError(f"{what} must be above 0; {ALLOWED_SIZES}")


def round_half_up(value: Fraction) -> int:
    """The nearest whole number, at least 1."""
    return max(1, floor(value + Fraction(1, 2)))


def pixel_size(height: Fraction, width: Fraction, dpi: Decimal | None) -> PixelSize:
    """Both sides rounded half up, each at least 1."""
    return PixelSize(
        round_half_up(height), round_half_up(width), None if dpi is None else float(dpi)
    )


def number_text(value: Decimal) -> str:
    """A number as people write it."""
    return format(value.normalize(), "f")


def dpi_text(dpi: Decimal | None) -> str:
    """The end of a size's text."""
    return "" if dpi is None else f" @ {number_text(dpi)}dpi"
