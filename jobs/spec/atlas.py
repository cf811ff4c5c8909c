"""An atlas of a network as its user asks for it: frozen, checked, in the words of the design."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, PlainValidator, field_validator, model_validator

from jobs.spec.base import (
    NAME_LENGTH,
    AsText,
    Auto,
    Count,
    Crew,
    NetworkChoice,
    Noise,
    Part,
    Tiles,
    checked_name,
    slug,
)
from jobs.spec.dataset import MOST_SHOWN, DatasetLimits, DatasetOutput, check_extent
from jobs.spec.inputs import Inputs
from jobs.spec.resize import Resize, parse_resize
from render.device import Precision
from render.dream.config import Dream
from render.fourier.setup import Fourier

_Layer = Annotated[str, Field(min_length=1)]

_Channels = Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)]

_Layers = Annotated[tuple[_Layer, ...], Field(min_length=1)]

_Classes = Annotated[tuple[int | str, ...], Field(min_length=1)]


class Plates(Part):
    """The pictures of an atlas: one of `layer`, `layers` and `classes`.

    layer: all channels of a layer, each by itself, or those of `channels`.
    layers: whole layers: all with exact tiles, from the first to the deepest, or those of a list.
    classes: all, or those of a list, by number or name.
    """

    layer: _Layer | None = None
    channels: _Channels | None = None
    layers: Literal["all"] | _Layers | None = None
    classes: Literal["all"] | _Classes | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if sum(what is not None for what in (self.layer, self.layers, self.classes)) != 1:
            raise ValueError("must be one of {layer: NAME}, {layers: all}, {classes: all}")
        if self.channels is not None and self.layer is None:
            raise ValueError("channels are a layer's; name it, as {layer: NAME, channels: [0, 1]}")
        for name, chosen in self:
            if isinstance(chosen, tuple) and len(set(chosen)) < len(chosen):
                raise ValueError(f"{name} must not name one twice")
        return self

    @property
    def word(self) -> str:
        """A word for them: the layer, `layers` or `classes`."""
        if self.layer is not None:
            return self.layer
        return "layers" if self.layers is not None else "classes"


Basis = Literal["pixels", "fourier"]


def _size(value: object) -> Resize:
    return value if isinstance(value, Resize) else parse_resize(str(value))


def _default_name(fields: dict[str, Any]) -> str:
    words = f"{fields['network'].name}-{fields['of'].word}"
    return slug(words)[:NAME_LENGTH].strip("._-") or "atlas"


class AtlasSpec(Part):
    """One job of many pictures of a network. See the README for the same in YAML.

    What is not said here is as in a dataset's spec, which an atlas becomes.
    name: default: the network's, and what is shown.
    size: of each picture: 256 (the longest side), or 512x384.
    start: noise, or a picture, of which all dream then.
    basis: `fourier`: clean pictures from nothing, the default for noise; `pixels`: octaves, as all
        other jobs dream, the default for a picture.
    dream, fourier: the parameters of the one basis and of the other.
    sheet: how many pictures the contact sheet shows.
    """

    kind: Literal["atlas"]
    network: NetworkChoice = NetworkChoice(name="pareidolia")
    of: Plates
    name: str = Field(default_factory=_default_name)
    size: Annotated[Resize, PlainValidator(_size), AsText] = Resize("longest", 256)
    start: Inputs = Inputs(noise=Noise())
    basis: Basis | None = None
    dream: Dream | None = None
    fourier: Fourier | None = None
    tiles: Tiles = Tiles()
    precision: Precision = "auto"
    output: DatasetOutput = DatasetOutput()
    batch: Count | Auto = "auto"
    sheet: Annotated[int, Field(ge=0, le=MOST_SHOWN)] = MOST_SHOWN
    crew: Crew = Crew()
    priority: Annotated[int, Field(ge=0, le=100)] = 50
    limits: DatasetLimits = DatasetLimits()

    _is_slug = field_validator("name")(checked_name)

    @model_validator(mode="after")
    def _is_of_one_basis(self) -> Self:
        if self.is_fourier and self.start.noise is None:
            raise ValueError("basis: fourier starts from noise; leave start out, or choose pixels")
        other = "dream" if self.is_fourier else "fourier"
        if getattr(self, other) is not None:
            raise ValueError(
                f"{other}: is for the other basis; write basis: "
                f"{'pixels' if self.is_fourier else 'fourier'}, or leave {other} out"
            )
        return self

    @model_validator(mode="after")
    def _has_size(self) -> Self:
        if self.start.noise is not None:
            check_extent("size", self.resize, self.limits.max_pixels, self.is_fourier)
        return self

    @property
    def resize(self) -> Resize:
        """How its pictures are sized: noise, which has no aspect, gives squares."""
        size = self.size
        if self.start.noise is None or size.way != "longest":
            return size
        return Resize("exact", size.width, size.width)

    @property
    def is_fourier(self) -> bool:
        """Whether its pictures come from nothing, in the Fourier basis."""
        if self.basis is None:
            return self.start.noise is not None and self.dream is None
        return self.basis == "fourier"

    def document(self) -> dict[str, Any]:
        """The spec as plain JSON values, every default written out; reads back to an equal spec."""
        return self.model_dump(mode="json")
