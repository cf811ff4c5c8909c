"""The base class of spec models, and the parts that several kinds of specs share."""

import re
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ByteSize,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    SerializerFunctionWrapHandler,
    Strict,
    WithJsonSchema,
    WrapSerializer,
    model_validator,
)

from jobs.spec.size import Fit
from render.dream.config import Dream
from render.dream.objective import Objective
from render.networks.builtin import ONNX

NAME_LENGTH = 60
"""The most characters of a job's name."""


MAX_PIXELS = 2_000_000_000
"""The default limit for a picture; an A0 poster at 300 dpi has 139 million pixels."""


Auto = Literal["auto"]

MAX_WORKERS = 512
"""The most workers of a crew."""


MAX_ENTRIES = 10_000
"""The most entries of a list in a spec, such as channels or the values of a sweep."""


_MAX_BYTES = 1 << 50
"""A limit for bytes of memory: a pebibyte."""


MAX_PATH = 4096
"""The most characters of a path or an address."""


PathText = Annotated[str, Field(min_length=1, max_length=MAX_PATH)]


MAX_SHORT_TEXT = 1000
"""The most characters of a label, a template, or the name of a column, a layer or a class."""


NameField = Annotated[str, Field(max_length=MAX_SHORT_TEXT)]
"""The name of a job before `validate_name`."""


ShortText = Annotated[str, Field(min_length=1, max_length=MAX_SHORT_TEXT)]


_SIZE_LENGTH = 200
"""The most characters of a size or a colour."""


SizeText = Annotated[str, Field(max_length=_SIZE_LENGTH)] | Annotated[int, Field(ge=1, lt=10**8)]
"""How specs write a size, for the schema. A number of pixels needs no quotes."""


Parsed = TypeVar("Parsed")


PositiveCount = Annotated[int, Field(ge=1, le=65_536)]
"""A number of CPUs, of pixels on the side of a tile, or of pictures in a batch."""

Format = Literal[
    "png",
    "tiff",
    "jpeg",
    "deepzoom",
    "deepzoom-zip",
    "iiif",
    "iiif-zip",
    "webp",
    "avif",
    "jxl",
    "pdf",
    "contract-proof",
]


_MAX_WEIGHT = 1e12
"""The largest weight of an objective. A schedule multiplies it, and the product stays finite."""


def _check_weights(objectives: tuple[Objective, ...]) -> tuple[Objective, ...]:
    for objective in objectives:
        if abs(objective.weight) > _MAX_WEIGHT:
            raise ValueError(
                f"weight must be from -{_MAX_WEIGHT:g} to {_MAX_WEIGHT:g}; not {objective.weight}"
            )
    return objectives


Objectives = Annotated[
    tuple[Objective, ...], Field(min_length=1, max_length=1000), AfterValidator(_check_weights)
]


def slug(text: str) -> str:
    """Reduce a text to a-z, 0-9, `.`, `_` and `-`, with a letter or digit at both ends.

    The result may be empty.
    """
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9._-]+", "-", ascii_text).strip("._-")


def validate_name(name: str) -> str:
    """Return the name as a slug. Raises ValueError if that is empty or too long."""
    valid = slug(name)
    if not 1 <= len(valid) <= NAME_LENGTH:
        raise ValueError(f"must be 1 to {NAME_LENGTH} letters a-z, digits, '.', '_' or '-'")
    return valid


def parse_short(parse: Callable[[str], Parsed], value: object) -> Parsed:
    """Parse a short text, or a number that stands for its text. Raises ValueError."""
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise ValueError("must be text")  # noqa: TRY004 - pydantic reports it
    text = str(value)
    if len(text) > _SIZE_LENGTH:
        raise ValueError(f"must have at most {_SIZE_LENGTH} characters")
    return parse(text)


def _local_path(value: object) -> Path:
    if isinstance(value, Path):
        return value
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise ValueError("must be the path of a file")
    if len(value) > MAX_PATH:
        raise ValueError(f"must be a path of at most {MAX_PATH} characters")
    if "://" in value:
        raise ValueError(f"{value} is not supported yet; download the file and give its path")
    return Path(value)


def _weights(value: object) -> Path | Literal["pretrained"]:
    return "pretrained" if value == "pretrained" else _local_path(value)


LocalPath = Annotated[Path, PlainValidator(_local_path, json_schema_input_type=PathText)]

AsText = PlainSerializer(str, return_type=str)


class SpecModel(BaseModel):
    """A model that is frozen, and rejects unknown keys and implicit conversions."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


FitField = Annotated[Fit | None, Field(exclude_if=lambda fit: fit is None)]
"""Specs without it do not have the field at all, so their ids stay as they were."""


_Share = Annotated[float, Field(ge=0, le=1)]

_SHARE = r"\s*(\d{1,3}(?:\.\d{1,6})?)\s*%\s*"


def _focus(value: object) -> tuple[float, float]:
    """A point from `[0.3, 0.4]` or the text `30%,40%`. Raises ValueError."""
    if isinstance(value, str) and (match := re.fullmatch(f"{_SHARE},{_SHARE}", value, re.ASCII)):
        value = [float(match[1]) / 100, float(match[2]) / 100]
    if isinstance(value, list | tuple) and len(value) == 2:
        x, y = value
        is_number = all(type(one) in (int, float) for one in value)
        if is_number and 0 <= x <= 1 and 0 <= y <= 1:
            return float(x), float(y)
    raise ValueError("must be a point, such as 30%,40%: from the left and from the top")


FocusField = Annotated[
    Annotated[
        tuple[float, float],
        PlainValidator(_focus, json_schema_input_type=PathText | tuple[_Share, _Share]),
        # Without it, pydantic warns of a tuple that is no tuple.
        PlainSerializer(list, return_type=list[float]),
    ]
    | None,
    Field(exclude_if=lambda focus: focus is None),
]


def check_focus(fit: Fit | None, focus: tuple[float, float] | None) -> None:
    """Raise ValueError for a focus without a crop."""
    if focus is not None and fit != "crop":
        raise ValueError("focus: needs fit: crop; write --fit crop")


_LATER_FIELDS = ("ascent", "edges")
"""Fields of `dream` that a spec without them does not have, so that its id stays as it was."""


def _without_later_defaults(dream: Dream, handler: SerializerFunctionWrapHandler) -> Any:
    document = handler(dream)
    for name in _LATER_FIELDS:
        if getattr(dream, name) == getattr(Dream, name):
            document.pop(name, None)  # a dump without defaults has no such key
    return document


DreamField = Annotated[Dream, WrapSerializer(_without_later_defaults)]


class Noise(SpecModel):
    """Seeded noise instead of a picture.

    seed: decides the noise, from 0 to 2**63 - 1.
    """

    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0


class NetworkChoice(SpecModel):
    """A network and its weights.

    name: of the catalogue, or `onnx`.
    weights: a file, `pretrained` for torchvision's download, or None for the shipped weights; of
        `onnx` its file.
    """

    name: Annotated[str, Field(min_length=1, max_length=200)]
    weights: (
        Annotated[
            Path | Literal["pretrained"],
            PlainValidator(_weights, json_schema_input_type=PathText),
            AsText,
        ]
        | None
    ) = None

    @property
    def label(self) -> str:
        """What people call it: its name, or that of its ONNX file."""
        file = self.weights
        return file.name if self.name == ONNX and isinstance(file, Path) else self.name

    @model_validator(mode="before")
    @classmethod
    def _has_name(cls, value: object) -> object:
        if isinstance(value, dict) and value.get("weights") is not None and "name" not in value:
            raise ValueError(
                "weights need the name of their network; write network: {name: NAME, weights: "
                "FILE}, or --network NAME; `dreamfarm networks` lists the names"
            )
        return value


class Tiles(SpecModel):
    """How the canvas is divided into tiles.

    size: side of a tile's core in pixels. `auto` depends only on the network, the precision and the
        size of the picture.
    halo: `exact` makes the gradient equal to that of the whole picture.
    """

    size: PositiveCount | Auto = "auto"
    halo: Literal["exact"] = "exact"


_Bytes = Annotated[
    ByteSize,
    Field(gt=0, le=_MAX_BYTES),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": _MAX_BYTES},
                {"type": "string", "maxLength": _SIZE_LENGTH},
            ]
        }
    ),
]


class Crew(SpecModel):
    """The workers that render the job; they do not affect the pixels.

    workers, gpus_per_worker, cpus_per_worker: counts, at most 512 workers with 64 GPUs; `auto`
        depends on the cluster.
    memory_per_worker: bytes, or text such as `1.5GiB`. A shard that does not fit is stored on disk.
    any_device: whether another kind of machine may continue the job; the output bytes may differ.
    """

    workers: Annotated[int, Field(ge=1, le=MAX_WORKERS)] | Auto = "auto"
    gpus_per_worker: Annotated[int, Field(ge=0, le=64)] | Auto = "auto"
    cpus_per_worker: PositiveCount | Auto = "auto"
    memory_per_worker: _Bytes | Auto = "auto"
    any_device: bool = False

    @property
    def cpus_each(self) -> int:
        """CPUs reserved for each worker; `auto` means one, and its threads then take turns."""
        return 1 if self.cpus_per_worker == "auto" else self.cpus_per_worker


MAX_SPENT = 1e9
"""The largest limit in US dollars or in hours."""


_Spendable = Annotated[
    Annotated[float, Field(gt=0, le=MAX_SPENT, allow_inf_nan=False)] | None,
    Field(exclude_if=lambda limit: limit is None),
]
"""Specs without such a limit do not have the field at all, so their records stay as they were."""


class Limits(SpecModel):
    """Limits of a job.

    max_pixels: the most pixels of the input, and of the output.
    usd: US dollars that its workers may cost in a store; then it pauses. Priced as `plan` prices.
    hours: the time that it may have workers in a store, under all leases together; then it pauses.
    """

    # Not strict, because YAML and JSON read 2e9 as a float.
    max_pixels: Annotated[int, Strict(False), Field(ge=1, le=10**12)] = MAX_PIXELS
    usd: _Spendable = None
    hours: _Spendable = None
