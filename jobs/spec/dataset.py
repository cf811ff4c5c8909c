"""A dataset as its user asks for it: frozen, checked, in the words of the design."""

import math
import re
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, field_validator, model_validator

from jobs.spec.base import (
    NAME_LENGTH,
    AsText,
    Auto,
    Count,
    Crew,
    Limits,
    NetworkChoice,
    Part,
    Tiles,
    checked_name,
    slug,
)
from jobs.spec.inputs import Inputs
from jobs.spec.output_names import check_template
from jobs.spec.resize import Resize, parse_resize
from render.device import Precision
from render.dream.config import Dream
from render.dream.objective import Objective
from render.fourier.setup import Fourier, check_size

Swept = Annotated[tuple[Any, ...], Field(min_length=1)]


_FIXED = (
    *("kind", "name", "inputs", "output", "sweep", "labels", "batch", "sheet"),
    *("crew", "priority", "limits"),
)
"""What a sweep cannot change: it is the whole job's."""


_LONGEST_SWEEP = 10_000


MOST_SHOWN = 800
"""Results on a contact sheet: more would not be looked at, and the sheet lies in memory."""


def _resize(value: object) -> Resize:
    return value if isinstance(value, Resize) else parse_resize(str(value))


class DatasetOutput(Part):
    """What becomes of each item.

    depth: bits a channel; 16 for png and tiff only.
    name: of an output, without suffix, with `{dir}`, `{stem}`, `{ext}`, `{key}` of its input,
        `{variant}`, and any field that is swept; None: the input's own, and what is swept.
    pack: `files` in the tree of the inputs, or tar shards for `webdataset`.
    """

    format: Literal["png", "jpeg", "tiff"] = "png"
    depth: Literal[8, 16] = 8
    name: str | None = None
    pack: Literal["files", "webdataset"] = "files"

    @model_validator(mode="after")
    def _has_depth(self) -> "DatasetOutput":
        if self.depth == 16 and self.format == "jpeg":
            raise ValueError("depth 16 is for png and tiff, not jpeg")
        return self


class DatasetLimits(Limits):
    """max_failures: the most items that may fail before the job is given up; None: any number."""

    max_failures: Annotated[int, Field(ge=0)] | None = None


def check_extent(field: str, resize: Resize, most: int, is_fourier: bool) -> None:
    """ValueError where noise has no size, or too large a one. field: in which it is said."""
    if resize.way != "exact":
        raise ValueError(f"{field}: noise has no size of its own; write both sides, as 512x384")
    pixels = resize.height * resize.width
    if pixels > most:
        raise ValueError(
            f"{field}: {resize} is {pixels / 1e6:.0f} megapixels, and at most {most / 1e6:.0f} "
            "are allowed; choose a smaller size, or raise limits.max_pixels"
        )
    if is_fourier:
        try:
            check_size((resize.height, resize.width))
        except ValueError as why:
            raise ValueError(f"{field}: {why}") from why


def _default_name(fields: dict[str, Any]) -> str:
    inputs = fields["inputs"]
    if inputs.noise is not None:
        return "noise"
    parts = [part for part in re.split(r"[/\\]", inputs.address) if not set(part) & {*"*?[{"}]
    last = parts[-1] if parts and parts[-1] else "".join(parts[-2:-1])
    stem = re.sub(r"\.(csv|jsonl|parquet|tar)$", "", last)
    return slug(stem)[:NAME_LENGTH].strip("._-") or "dataset"


class DatasetSpec(Part):
    """One job of many items. See the README for the same in YAML.

    What is not said here is as in a poster's spec.
    inputs: where the pictures are, or noise.
    resize: the size of each result; see `jobs.spec.resize`.
    fourier: dreams from nothing, as feature pictures are made, in place of `dream`.
    sweep: lists of values by the dotted names of fields; each picture is dreamed with all of their
        combinations.
    labels: what each of these combinations is called, `{label}` in names; each once.
    batch: results of one size that a GPU dreams at once; CPUs dream them one by one.
    sheet: how many results the contact sheet shows.
    """

    kind: Literal["dataset"]
    inputs: Inputs
    name: str = Field(default_factory=_default_name)
    resize: Annotated[Resize, PlainValidator(_resize), AsText] = Resize()
    network: NetworkChoice = NetworkChoice(name="pareidolia")
    objectives: Annotated[tuple[Objective, ...], Field(min_length=1)] | None = None
    dream: Dream = Dream()
    fourier: Fourier | None = None
    tiles: Tiles = Tiles()
    precision: Precision = "auto"
    output: DatasetOutput = DatasetOutput()
    sweep: dict[str, Swept] = Field(default_factory=dict)
    labels: tuple[Annotated[str, Field(min_length=1)], ...] | None = None
    batch: Count | Auto = "auto"
    sheet: Annotated[int, Field(ge=0, le=MOST_SHOWN)] = 60
    crew: Crew = Crew()
    priority: Annotated[int, Field(ge=0, le=100)] = 50
    limits: DatasetLimits = DatasetLimits()

    _is_slug = field_validator("name")(checked_name)

    @field_validator("sweep")
    @classmethod
    def _is_sweepable(cls, sweep: dict[str, Swept]) -> dict[str, Swept]:
        count = 1
        for field, values in sweep.items():
            first = field.split(".")[0]
            if first in _FIXED or first not in cls.model_fields:
                raise ValueError(f"{field} cannot be swept; such as dream.step_size can")
            count *= len(values)
        if count > _LONGEST_SWEEP:
            raise ValueError(f"{count} combinations are more than {_LONGEST_SWEEP}; sweep less")
        return sweep

    @model_validator(mode="after")
    def _has_template(self) -> "DatasetSpec":
        if self.output.name is not None:
            check_template(
                self.output.name,
                self.sweep,
                has_labels=self.labels is not None,
                is_alone=self.inputs.noise is not None,
            )
        return self

    @model_validator(mode="after")
    def _has_size(self) -> "DatasetSpec":
        if self.inputs.noise is None:
            if self.fourier is not None:
                raise ValueError("fourier: begins with noise; write inputs: {noise: {seed: 0}}")
            return self
        check_extent("resize", self.resize, self.limits.max_pixels, self.fourier is not None)
        if self.fourier is not None and any(one.mask for one in self.objectives or ()):
            raise ValueError("objectives: a mask is for dreams in octaves; leave fourier out")
        return self

    @model_validator(mode="after")
    def _has_labels(self) -> "DatasetSpec":
        if self.labels is not None:
            wanted = math.prod(map(len, self.sweep.values()))
            if len(self.labels) != wanted:
                raise ValueError(f"labels: {wanted} are needed, not {len(self.labels)}")
            if len(set(self.labels)) < wanted:
                raise ValueError("labels: must not name one twice")
        return self

    @property
    def is_frugal(self) -> bool:
        """Whether workers give memory back at once rather than keep it for speed: where it was said
        how much they may take."""
        return self.crew.memory_per_worker != "auto"

    def document(self) -> dict[str, Any]:
        """The spec as plain JSON values, every default written out; reads back to an equal spec."""
        return self.model_dump(mode="json")
