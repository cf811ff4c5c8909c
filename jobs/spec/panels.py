"""What a spec may say for the printer: bleed, crop marks, and panels of a mural."""

from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PlainValidator, model_validator

from jobs.spec.base import AsText, SizeText, SpecModel, parse_short
from jobs.spec.length import Length, round_half_up
from jobs.spec.size import parse_size
from jobs.spec.size_of_input import LongerSide

PDF: Literal["pdf"] = "pdf"

CONTRACT_PROOF: Literal["contract-proof"] = "contract-proof"

PRINT_FORMATS = (PDF, CONTRACT_PROOF)
"""The formats that are only for the printer."""

_PANEL_FORMATS = (PDF, "tiff", "png", "jpeg")
"""Formats that are one file, and that printers take."""


def parse_length(text: str) -> Length:
    """Parse a length, such as `3mm`, `0.125in` or `35px`. Raises ValueError."""
    try:
        size = parse_size(text)
    except ValueError:
        size = None
    if not isinstance(size, LongerSide) or size.dpi is not None:
        raise ValueError(f"'{text}' is not a length; write 3mm, 2cm, 1.3m, 0.125in, 4ft or 35px")
    return size.side


def length_pixels(length: Length | None, dpi: Decimal) -> int:
    """The pixels of a length, rounded half up, at least 1; None has none."""
    return 0 if length is None else round_half_up(length.pixels(dpi))


def _length(value: object) -> Length:
    return value if isinstance(value, Length) else parse_short(parse_length, value)


_LengthField = Annotated[
    Annotated[Length, PlainValidator(_length, json_schema_input_type=SizeText), AsText] | None,
    Field(exclude_if=lambda length: length is None),
]
"""A length that need not be given. Specs without it do not have the field at all, so their ids
stay as they were."""

_Marks = Annotated[bool, Field(exclude_if=lambda marks: not marks)]


class Panels(SpecModel):
    """The panels that a mural is cut into.

    width: the most of a panel after trimming, with its overlaps; default: the poster's.
    height: the same for its height.
    overlap: what two neighbours share.
    bleed: what each panel has beyond its trim on each side: its neighbours, or the mirrored poster.
    marks: crop marks, for `pdf` only.
    """

    width: _LengthField = None
    height: _LengthField = None
    overlap: _LengthField = None
    bleed: _LengthField = None
    marks: _Marks = False

    @model_validator(mode="after")
    def _has_side(self) -> Self:
        if self.width is None and self.height is None:
            raise ValueError("needs a width or a height, such as {width: 130cm, overlap: 2cm}")
        return self


class PrintFields(SpecModel):
    """The fields of an output for the printer.

    bleed: of a `pdf`, what it shows beyond the trim on each side: the poster, mirrored.
    marks: crop marks of a `pdf`.
    panels: cuts the poster into files, a `pdf` each unless a format is given.
    """

    bleed: _LengthField = None
    marks: _Marks = False
    panels: Annotated[Panels | None, Field(exclude_if=lambda panels: panels is None)] = None

    @model_validator(mode="before")
    @classmethod
    def _default_format(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("panels") is not None and "format" not in value:
            return {**value, "format": PDF}
        return value

    def check_print(self, format_name: str) -> None:
        """Raise ValueError if the format has not these fields."""
        if self.panels is None:
            if format_name != PDF and (self.bleed is not None or self.marks):
                raise ValueError(f"bleed and marks are for pdf, not {format_name}")
            return
        if format_name not in _PANEL_FORMATS:
            raise ValueError(f"panels are {', '.join(_PANEL_FORMATS)}, not {format_name}")
        if self.bleed is not None or self.marks:
            raise ValueError("write bleed and marks inside panels")
        if self.panels.marks and format_name != PDF:
            raise ValueError(f"marks of panels are for pdf, not {format_name}")

    @staticmethod
    def print_fields_of(format_name: str) -> frozenset[str]:
        """The fields for the printer that a format may have."""
        fields = {"bleed", "marks"} if format_name == PDF else set()
        return frozenset(fields | ({"panels"} if format_name in _PANEL_FORMATS else set()))

    def is_for_printer(self, format_name: str) -> bool:
        """Whether the output is made as `print_files` says, with pages, bleed or panels."""
        return self.panels is not None or format_name in PRINT_FORMATS
