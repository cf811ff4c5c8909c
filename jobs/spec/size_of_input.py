"""Sizes that keep the input's shape, or turn with it: `x4`, `50%`, `300px`, `20MP`, `A2`."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import isqrt
from typing import Literal

from jobs.spec.length import (
    INCHES,
    PRINT_DPI,
    Length,
    PixelSize,
    check_positive,
    dpi_text,
    number_text,
    pixel_size,
    round_half_up,
)

_MEGA = 1_000_000


class _OfInputShape:
    """A size that keeps the shape of the input."""

    @property
    def needs_input(self) -> bool:
        """Always true: the shape is that of the input."""
        return True

    def shape(self, input_height: int, input_width: int) -> tuple[int, int]:
        """The input's own."""
        return input_height, input_width


@dataclass(frozen=True)
class InputMultiple(_OfInputShape):
    """The size of the input times a factor above 0."""

    factor: Decimal
    dpi: Decimal | None = None

    def __post_init__(self) -> None:
        check_positive(self.factor, "the factor")
        check_positive(self.dpi, "dpi")

    def __str__(self) -> str:
        return f"x{number_text(self.factor)}{dpi_text(self.dpi)}"

    def resolve(self, input_height: int, input_width: int) -> PixelSize:
        """The size in pixels for an input of that size, rounded half up, at least 1."""
        factor = Fraction(self.factor)
        return pixel_size(input_height * factor, input_width * factor, self.dpi)


@dataclass(frozen=True)
class LongerSide(_OfInputShape):
    """The length of the longer side; the other follows from the input."""

    side: Length
    dpi: Decimal | None = None

    def __post_init__(self) -> None:
        check_positive(self.dpi, "dpi")

    def __str__(self) -> str:
        return f"{self.side}{'' if self.side.is_physical else 'px'}{dpi_text(self.dpi)}"

    def resolve(self, input_height: int, input_width: int) -> PixelSize:
        """The size in pixels for an input of that size, rounded half up, at least 1."""
        longer = round_half_up(self.side.pixels(self.dpi))
        factor = Fraction(longer, max(input_height, input_width))
        dpi = PRINT_DPI if self.dpi is None and self.side.is_physical else self.dpi
        return pixel_size(input_height * factor, input_width * factor, dpi)


@dataclass(frozen=True)
class Megapixels(_OfInputShape):
    """The number of pixels, in millions; the shape is that of the input."""

    millions: Decimal
    dpi: Decimal | None = None

    def __post_init__(self) -> None:
        check_positive(self.millions, "megapixels")
        check_positive(self.dpi, "dpi")

    def __str__(self) -> str:
        return f"{number_text(self.millions)}MP{dpi_text(self.dpi)}"

    def resolve(self, input_height: int, input_width: int) -> PixelSize:
        """The largest size in pixels that has no more, at least 1 x 1."""
        pixels = Fraction(self.millions) * _MEGA
        # The width is floor(sqrt(pixels * aspect)), exactly.
        width = max(1, isqrt(int(pixels * input_width / input_height)))
        height = min(Fraction(width * input_height, input_width), pixels / width)
        return pixel_size(Fraction(max(1, int(height))), Fraction(width), self.dpi)


Orientation = Literal["portrait", "landscape"]

_SIDES = (1189, 841, 594, 420, 297, 210, 148, 105, 74, 52, 37, 26)
"""The sides of A0 to A10 in millimetres: A3 has 420 x 297 (ISO 216)."""

PAPERS = len(_SIDES) - 1
"""How many papers there are, from A0 on."""

_SHAPE = (10_000, 14_142)
"""1 to the square root of 2. Millimetres are rounded, so A0 and A4 differ a little from it; all
papers count as this shape, so that their first octaves are the same."""


@dataclass(frozen=True)
class Paper:
    """A paper of ISO 216, A0 to A10. Without an orientation it turns with the input."""

    number: int
    orientation: Orientation | None = None
    dpi: Decimal | None = None

    def __post_init__(self) -> None:
        check_positive(self.dpi, "dpi")

    def __str__(self) -> str:
        turned = "" if self.orientation is None else f" {self.orientation}"
        return f"A{self.number}{turned}{dpi_text(self.dpi)}"

    @property
    def needs_input(self) -> bool:
        """Whether the input decides the orientation."""
        return self.orientation is None

    def shape(self, input_height: int, input_width: int) -> tuple[int, int]:
        """Height to width: 1 to the square root of 2, or turned."""
        return _SHAPE if self._is_landscape(input_height, input_width) else _SHAPE[::-1]

    def resolve(self, input_height: int, input_width: int) -> PixelSize:
        """The size in pixels for an input of that size, rounded half up, at least 1."""
        dpi = PRINT_DPI if self.dpi is None else self.dpi
        longer, shorter = (
            side * INCHES["mm"] * Fraction(dpi) for side in _SIDES[self.number : self.number + 2]
        )
        if self._is_landscape(input_height, input_width):
            return pixel_size(shorter, longer, dpi)
        return pixel_size(longer, shorter, dpi)

    def _is_landscape(self, input_height: int, input_width: int) -> bool:
        if self.orientation is None:
            return input_width > input_height
        return self.orientation == "landscape"


INPUT_SIZE = InputMultiple(Decimal(1))
"""The default size: that of the input."""
