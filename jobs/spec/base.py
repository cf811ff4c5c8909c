"""The user's request as values: frozen, checked, in the words of the design."""

import re
import unicodedata
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ByteSize,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    Strict,
)

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


LocalPath = Annotated[Path, PlainValidator(_local_path)]

AsText = PlainSerializer(str, return_type=str)


class Part(BaseModel):
    """What all parts of a spec share: frozen, no unknown keys, no silent conversions."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Noise(Part):
    """Seeded noise in place of a picture."""

    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0


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
