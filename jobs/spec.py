"""The user's request as values: frozen, checked, in the words of the design."""

import re
import unicodedata
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ByteSize,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    Strict,
    field_validator,
    model_validator,
)

from jobs.colour import Colour, parse_colour
from jobs.size import INPUT_SIZE, Sides, Size, Times, parse_size
from render.dream import Dream
from render.objective import Objective
from render.precision import Precision

NAME_LENGTH = 60

MAX_PIXELS = 2_000_000_000
"""Of a picture, unless its job says otherwise: an A0 poster at 300 dpi has 139 million."""

Auto = Literal["auto"]
Count = Annotated[int, Field(ge=1)]
Format = Literal["png", "tiff", "jpeg", "deepzoom"]


def slug(text: str) -> str:
    """The text in a-z, 0-9, `.`, `_` and `-`, with a letter or digit at both ends; may be empty."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9._-]+", "-", ascii_text).strip("._-")


def checked_name(name: str) -> str:
    """The name as a slug. ValueError where nothing is left of it, or too much."""
    word = slug(name)
    if not 1 <= len(word) <= NAME_LENGTH:
        raise ValueError(f"must be 1 to {NAME_LENGTH} letters a-z, digits, '.', '_' or '-'")
    return word


def _local_path(value: object) -> Path:
    if isinstance(value, Path):
        return value
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise ValueError("must be the path of a file")
    if "://" in value:
        raise ValueError(f"{value} is not supported yet; fetch the file and give its path")
    return Path(value)


def _weights(value: object) -> Path | Literal["pretrained"]:
    return "pretrained" if value == "pretrained" else _local_path(value)


def _size(value: object) -> Size:
    return value if isinstance(value, Sides | Times) else parse_size(str(value))


def _colour(value: object) -> Colour:
    return value if isinstance(value, Colour) else parse_colour(str(value))


LocalPath = Annotated[Path, PlainValidator(_local_path)]
AsText = PlainSerializer(str, return_type=str)


class Part(BaseModel):
    """What all parts of a spec share: frozen, no unknown keys, no silent conversions."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Noise(Part):
    """Seeded noise in place of a picture."""

    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0


class Input(Part):
    """What the dream starts from: a picture's path, noise, or a plain colour; exactly one."""

    path: LocalPath | None = None
    noise: Noise | None = None
    colour: Annotated[Colour, PlainValidator(_colour), AsText] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if sum(kind is not None for kind in (self.path, self.noise, self.colour)) != 1:
            raise ValueError(
                "must be one of a path, {noise: {seed: 0}}, {colour: '#rrggbb'} with its quotes"
            )
        return self

    @property
    def stem(self) -> str:
        """A word for it: the file's name without its ending, `noise` or `colour`."""
        if self.path is not None:
            return self.path.stem
        return "noise" if self.noise is not None else "colour"


class NetworkChoice(Part):
    """Which network, by name, and where its weights are.

    weights: a file, `pretrained` (torchvision's download), or None: those that ship with it.
    """

    name: Annotated[str, Field(min_length=1)]
    weights: Annotated[Path | Literal["pretrained"], PlainValidator(_weights), AsText] | None = None


class Tiles(Part):
    """How the canvas is cut.

    size: the side of a tile's core in pixels; `auto` follows from the network, the precision and
        the picture's size alone.
    halo: `exact`: the gradient is that of the whole picture.
    """

    size: Count | Auto = "auto"
    halo: Literal["exact"] = "exact"


class Output(Part):
    """One file to write. depth: bits a channel; 16 for png and tiff only."""

    format: Format
    depth: Literal[8, 16] = 8

    @model_validator(mode="after")
    def _has_depth(self) -> Self:
        if self.depth == 16 and self.format not in {"png", "tiff"}:
            raise ValueError(f"depth 16 is for png and tiff, not {self.format}")
        return self


class Crew(Part):
    """Who renders; it decides no pixel.

    memory_per_worker: bytes, or text such as `1.5GiB`; a shard that does not fit goes to disk.
    any_device: whether machines of another kind than the first may go on with it, with other bytes.
    """

    workers: Count | Auto = "auto"
    gpus_per_worker: Annotated[int, Field(ge=0)] | Auto = "auto"
    cpus_per_worker: Count | Auto = "auto"
    memory_per_worker: Annotated[ByteSize, Field(gt=0)] | Auto = "auto"
    any_device: bool = False

    @property
    def cpus_each(self) -> int:
        """The CPUs that are reserved for a worker: one, which computes with one thread."""
        return 1 if self.cpus_per_worker == "auto" else self.cpus_per_worker


class Limits(Part):
    """What is absurd. max_pixels: the most that the input, and the output, may have."""

    # Not strict, so that 2e9 may be written, which YAML and JSON read as a float.
    max_pixels: Annotated[int, Strict(False), Field(ge=1)] = MAX_PIXELS


def _default_name(fields: dict[str, Any]) -> str:
    return slug(fields["input"].stem)[:NAME_LENGTH].strip("._-") or "picture"


class Spec(Part):
    """One job, as asked for. See the README for the same in YAML.

    name: a-z, 0-9, `.`, `_`, `-`, at most 60; default: from the input.
    size: default: the input's own; noise and colours need one in both sides.
    objectives: None means the network's default, which the plan knows.
    outputs: no format twice.
    priority: from 0 to 100; of two waiting jobs the higher goes first.
    """

    kind: Literal["poster"] = "poster"
    input: Input
    name: str = Field(default_factory=_default_name)
    size: Annotated[Size, PlainValidator(_size), AsText] = INPUT_SIZE
    network: NetworkChoice = NetworkChoice(name="pareidolia")
    objectives: Annotated[tuple[Objective, ...], Field(min_length=1)] | None = None
    dream: Dream = Dream()
    tiles: Tiles = Tiles()
    precision: Precision = "auto"
    outputs: Annotated[tuple[Output, ...], Field(min_length=1)] = (Output(format="png"),)
    crew: Crew = Crew()
    priority: Annotated[int, Field(ge=0, le=100)] = 50
    limits: Limits = Limits()

    _is_slug = field_validator("name")(checked_name)

    @field_validator("outputs")
    @classmethod
    def _are_different(cls, outputs: tuple[Output, ...]) -> tuple[Output, ...]:
        formats = [output.format for output in outputs]
        if len(set(formats)) < len(formats):
            raise ValueError("must not name a format twice")
        return outputs

    @model_validator(mode="after")
    def _has_size(self) -> Self:
        if self.input.path is None and self.size.needs_input:
            raise ValueError(
                f"size: {self.input.stem} has no size of its own; "
                "write both sides, as 60cm x 34cm @ 300dpi or 7087x4016"
            )
        return self

    def document(self) -> dict[str, Any]:
        """The spec as plain JSON values, every default written out; reads back to an equal spec."""
        return self.model_dump(mode="json")
