"""The spec of a poster: one large picture."""

from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, PlainValidator, field_validator, model_validator

from jobs.spec.base import (
    NAME_LENGTH,
    AsText,
    Crew,
    DreamField,
    FitField,
    FocusField,
    Format,
    Limits,
    LocalPath,
    NameField,
    NetworkChoice,
    Noise,
    Objectives,
    SizeText,
    SpecModel,
    Tiles,
    check_focus,
    parse_short,
    slug,
    validate_name,
)
from jobs.spec.encoding_fields import EncodingFields
from jobs.spec.inputs import Colour, parse_colour
from jobs.spec.notify import NotifyField
from jobs.spec.panels import PrintFields
from jobs.spec.redo import RedoField
from jobs.spec.size import Size, parse_size
from jobs.spec.size_of_input import INPUT_SIZE
from render.device import Precision
from render.dream.config import Dream

_DEEP = frozenset({"png", "tiff"})
"""Formats of 16 bits per channel."""

MAX_PAGE = 65_535
"""The largest number of a page, as in TIFF."""


def _size(value: object) -> Size:
    if isinstance(value, Size):
        return value
    return parse_short(parse_size, value)


def _colour(value: object) -> Colour:
    return value if isinstance(value, Colour) else parse_short(parse_colour, value)


class Input(SpecModel):
    """The start of the dream: exactly one of a picture's path, noise, or a plain colour.

    path: of a JPEG, PNG, WebP, TIFF, HEIC or AVIF, or its `s3://` address.
    page: the number of a picture in a file that has several, from 1; None for the first full one.
    noise: seeded noise instead of a picture.
    colour: `#rrggbb`, or one of the 16 names of HTML, instead of a picture.
    """

    path: LocalPath | None = None
    # Specs without a page do not have the field at all, so their ids stay as they were.
    page: Annotated[
        Annotated[int, Field(ge=1, le=MAX_PAGE)] | None, Field(exclude_if=lambda page: page is None)
    ] = None
    noise: Noise | None = None
    colour: (
        Annotated[Colour, PlainValidator(_colour, json_schema_input_type=SizeText), AsText] | None
    ) = None

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if sum(kind is not None for kind in (self.path, self.noise, self.colour)) != 1:
            raise ValueError(
                "must be one of a path, {noise: {seed: 0}}, {colour: '#rrggbb'} (quoted)"
            )
        if self.page is not None and self.path is None:
            raise ValueError("page belongs to a path; leave it out")
        return self

    @property
    def stem(self) -> str:
        """A name for the input: the file name without suffix, `noise` or `colour`."""
        if self.path is not None:
            return self.path.stem
        return "noise" if self.noise is not None else "colour"


class Output(PrintFields, EncodingFields):
    """One output file, or the files of its panels.

    format: `png`, `tiff`, `jpeg`, `webp`, `avif`, `jxl`; `deepzoom` or `iiif`: a folder of tiles
        for viewers, or with `-zip` as one file; `pdf`, or `contract-proof`: a PDF of the whole on
        A4 and a part in its true size.
    depth: bits per channel; 16 is for png and tiff only.
    """

    format: Format
    depth: Literal[8, 16] = 8

    @model_validator(mode="after")
    def _has_depth(self) -> Self:
        if self.depth == 16 and self.format not in _DEEP:
            raise ValueError(f"depth 16 is for png and tiff, not {self.format}")
        self.check_print(self.format)
        self.check_encoding(self.format)
        return self

    @classmethod
    def choices(cls) -> dict[str, list[str]]:
        """The fields that each format may have besides `format`."""
        found = {}
        for name in get_args(Format):
            fields = cls.fields_of(name) | cls.print_fields_of(name)
            fields |= {"depth"} if name in _DEEP else set()
            found[name] = [one for one in cls.model_fields if one in fields]
        return found

    @property
    def for_printer(self) -> bool:
        """Whether `print_files` says what its files are."""
        return self.is_for_printer(self.format)


def _default_name(fields: dict[str, Any]) -> str:
    return slug(fields["input"].stem)[:NAME_LENGTH].strip("._-") or "picture"


class PosterSpec(SpecModel):
    """The spec of a poster job. The README describes the same fields in YAML.

    name: at most 60 characters of a-z, 0-9, `.`, `_`, `-`; by default from the input.
    size: such as `60cm x 34cm @ 300dpi`, `A2`, `600xauto` (pixels) or `x4`; by default that of the
        input. Noise and colours need both sides.
    fit: for a picture of another aspect: `stretch` it, `crop` a part of it, or `pad` it by
        repeating its edges; None refuses a size that would squash it.
    focus: where the part to crop should be: x and y, each from 0 to 1. Default: the middle.
    objectives: what to see more of, or less; None means the default of the network, which the plan
        fills in.
    precision: of the arithmetic; `auto` is bfloat16 where it is fast, else float32.
    outputs: the files to write; each format at most once in sRGB, in CMYK and as a proof.
    priority: from 0 to 100; the waiting job with the higher priority runs first.
    redo: the older picture, a part of which is dreamed again; `dreamfarm redo` writes it.
    notify: whom to tell when the job ends, by names of `work --notify`.
    """

    kind: Literal["poster"] = "poster"
    input: Input
    name: NameField = Field(default_factory=_default_name)
    size: Annotated[Size, PlainValidator(_size, json_schema_input_type=SizeText), AsText] = (
        INPUT_SIZE
    )
    fit: FitField = None
    focus: FocusField = None
    network: NetworkChoice = NetworkChoice(name="pareidolia")
    objectives: Objectives | None = None
    dream: DreamField = Dream()
    tiles: Tiles = Tiles()
    precision: Precision = "auto"
    outputs: Annotated[tuple[Output, ...], Field(min_length=1, max_length=16)] = (
        Output(format="png"),
    )
    crew: Crew = Crew()
    priority: Annotated[int, Field(ge=0, le=100)] = 50
    limits: Limits = Limits()
    redo: RedoField = None
    notify: NotifyField = ()

    _is_slug = field_validator("name")(validate_name)

    @field_validator("outputs")
    @classmethod
    def _are_different(cls, outputs: tuple[Output, ...]) -> tuple[Output, ...]:
        single = [output for output in outputs if output.panels is None]
        if len({(one.format, one.kind) for one in single}) < len(single):
            raise ValueError("must not contain a format twice")
        if len(outputs) - len(single) > 1:
            raise ValueError("must not contain panels twice")
        return outputs

    @model_validator(mode="after")
    def _has_size(self) -> Self:
        check_focus(self.fit, self.focus)
        if self.input.path is None and self.size.needs_input:
            raise ValueError(
                f"size: {self.input.stem} has no size of its own; "
                "write both sides, such as 60cm x 34cm @ 300dpi or 7087x4016"
            )
        return self

    def document(self) -> dict[str, Any]:
        """The spec as plain JSON values with all defaults; it parses back to an equal spec."""
        return self.model_dump(mode="json")
