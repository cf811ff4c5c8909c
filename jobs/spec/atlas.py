"""The spec of an atlas: pictures of the channels, layers or classes of a network."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, PlainValidator, field_validator, model_validator

from jobs.spec.base import (
    MAX_ENTRIES,
    NAME_LENGTH,
    AsText,
    Auto,
    Crew,
    DreamField,
    FitField,
    FocusField,
    NameField,
    NetworkChoice,
    Noise,
    PositiveCount,
    ShortText,
    SizeText,
    SpecModel,
    Tiles,
    check_focus,
    parse_short,
    slug,
    validate_name,
)
from jobs.spec.dataset import MAX_SHEET, DatasetLimits, DatasetOutput, check_noise_size
from jobs.spec.inputs import Inputs
from jobs.spec.notify import NotifyField
from jobs.spec.resize import Resize, parse_resize
from render.device import Precision
from render.fourier.setup import Fourier
from render.networks.builtin import ONNX_SUFFIX

_Entries = Field(min_length=1, max_length=MAX_ENTRIES)

_Index = Annotated[int, Field(ge=0, lt=2**31)]

_Channels = Annotated[tuple[_Index, ...], _Entries]

_Layers = Annotated[tuple[ShortText, ...], _Entries]

_Classes = Annotated[tuple[_Index | ShortText, ...], _Entries]


class AtlasSubject(SpecModel):
    """The subject of an atlas: exactly one of `layer`, `layers` and `classes`.

    layer: a picture of each channel of a layer, or of those in `channels`.
    channels: numbers of channels of that layer, from 0.
    layers: a picture of each layer in a list; `all` means every layer with exact tiles, in order.
    classes: a picture of each class in a list, by number or name; `all` means every class.
    """

    layer: ShortText | None = None
    channels: _Channels | None = None
    layers: Literal["all"] | _Layers | None = None
    classes: Literal["all"] | _Classes | None = None

    @model_validator(mode="after")
    def _has_one_subject(self) -> Self:
        if sum(choice is not None for choice in (self.layer, self.layers, self.classes)) != 1:
            raise ValueError("must be one of {layer: NAME}, {layers: all}, {classes: all}")
        if self.channels is not None and self.layer is None:
            raise ValueError("channels need a layer; write {layer: NAME, channels: [0, 1]}")
        for name, chosen in self:
            if isinstance(chosen, tuple) and len(set(chosen)) < len(chosen):
                raise ValueError(f"{name} must not contain an entry twice")
        return self

    @property
    def label(self) -> str:
        """A name for the subject: the layer, `layers` or `classes`."""
        if self.layer is not None:
            return self.layer
        return "layers" if self.layers is not None else "classes"


Basis = Literal["pixels", "fourier"]


def _size(value: object) -> Resize:
    return value if isinstance(value, Resize) else parse_short(parse_resize, value)


def _default_name(fields: dict[str, Any]) -> str:
    network = fields["network"].label.removesuffix(ONNX_SUFFIX)
    name = f"{network}-{fields['of'].label}"
    return slug(name)[:NAME_LENGTH].strip("._-") or "atlas"


_ResizeField = Annotated[Resize, PlainValidator(_size, json_schema_input_type=SizeText), AsText]


class AtlasSpec(SpecModel):
    """The spec of an atlas job. The README describes the same fields in YAML.

    An atlas is expanded into a dataset; fields without a description are as in DatasetSpec.

    of: the subject: channels, layers or classes.
    name: by default from the network and the subject.
    size: the size of each picture in pixels: 256 (the longest side), or 512x384.
    fit, focus: for a picture at the start of another aspect, as of a poster.
    start: the noise or the picture at the start of every dream.
    basis: `fourier` optimises clean pictures from noise, and is the default for noise. `pixels`
        dreams in octaves like the other jobs, and is the default for a picture.
    dream, fourier: the parameters of the basis `pixels`, and of `fourier`.
    sheet: the number of pictures on the contact sheet.
    """

    kind: Literal["atlas"]
    network: NetworkChoice = NetworkChoice(name="pareidolia")
    of: AtlasSubject
    name: NameField = Field(default_factory=_default_name)
    size: _ResizeField = Resize("longest", 256)
    fit: FitField = None
    focus: FocusField = None
    start: Inputs = Inputs(noise=Noise())
    basis: Basis | None = None
    dream: DreamField | None = None
    fourier: Fourier | None = None
    tiles: Tiles = Tiles()
    precision: Precision = "auto"
    output: DatasetOutput = DatasetOutput()
    batch: PositiveCount | Auto = "auto"
    sheet: Annotated[int, Field(ge=0, le=MAX_SHEET)] = MAX_SHEET
    crew: Crew = Crew()
    priority: Annotated[int, Field(ge=0, le=100)] = 50
    limits: DatasetLimits = DatasetLimits()
    notify: NotifyField = ()

    _is_slug = field_validator("name")(validate_name)

    @model_validator(mode="after")
    def _has_one_basis(self) -> Self:
        check_focus(self.fit, self.focus)
        if self.is_fourier and self.start.noise is None:
            raise ValueError("basis: fourier starts from noise; leave start out, or choose pixels")
        other = "dream" if self.is_fourier else "fourier"
        if getattr(self, other) is not None:
            raise ValueError(
                f"{other}: belongs to the other basis; write basis: "
                f"{'pixels' if self.is_fourier else 'fourier'}, or leave {other} out"
            )
        return self

    @model_validator(mode="after")
    def _has_size(self) -> Self:
        if self.start.noise is not None:
            check_noise_size("size", self.resize, self.limits.max_pixels, self.is_fourier)
        return self

    @property
    def resize(self) -> Resize:
        """The size of each picture; noise has no aspect ratio and gives squares."""
        size = self.size
        if self.start.noise is None or size.mode != "longest":
            return size
        return Resize("exact", size.width, size.width)

    @property
    def is_fourier(self) -> bool:
        """Whether the pictures are optimised in the Fourier basis."""
        if self.basis is None:
            return self.start.noise is not None and self.dream is None
        return self.basis == "fourier"

    def document(self) -> dict[str, Any]:
        """The spec as plain JSON values with all defaults; it parses back to an equal spec."""
        return self.model_dump(mode="json")
