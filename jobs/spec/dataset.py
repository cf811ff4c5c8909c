"""The spec of a dataset: many pictures, each dreamed with every combination of a sweep."""

import math
import re
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, field_validator, model_validator

from jobs.spec.base import (
    MAX_SHORT_TEXT,
    NAME_LENGTH,
    AsText,
    Auto,
    Crew,
    DreamField,
    FitField,
    FocusField,
    Limits,
    NameField,
    NetworkChoice,
    Objectives,
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
from jobs.spec.inputs import Inputs
from jobs.spec.notify import NotifyField
from jobs.spec.output_names import check_template
from jobs.spec.resize import Resize, parse_resize
from render.device import Precision
from render.dream.config import Dream
from render.fourier.setup import Fourier, check_size

_MAX_COMBINATIONS = 10_000


SweptValues = Annotated[tuple[Any, ...], Field(min_length=1, max_length=_MAX_COMBINATIONS)]


_NOT_SWEEPABLE = (
    *("kind", "name", "inputs", "output", "sweep", "labels", "batch", "sheet"),
    *("crew", "priority", "limits", "notify"),
)
"""Fields that a sweep cannot change, because they apply to the whole job."""


MAX_SHEET = 800
"""The most results on a contact sheet. The whole sheet is in memory."""


def _resize(value: object) -> Resize:
    return value if isinstance(value, Resize) else parse_short(parse_resize, value)


_ResizeField = Annotated[Resize, PlainValidator(_resize, json_schema_input_type=SizeText), AsText]


class DatasetOutput(SpecModel):
    """The output of each item.

    format: `png`, `jpeg` or `tiff`.
    depth: bits per channel; 16 is for png and tiff only.
    name: a template without suffix. Its fields are `{dir}`, `{stem}`, `{ext}` and `{key}` of the
        input, `{variant}`, and every swept field. None: the path of the input and the swept values.
    pack: `files` writes one file per item, in the folders of the inputs. `webdataset` writes tar
        shards.
    """

    format: Literal["png", "jpeg", "tiff"] = "png"
    depth: Literal[8, 16] = 8
    name: Annotated[str, Field(max_length=MAX_SHORT_TEXT)] | None = None
    pack: Literal["files", "webdataset"] = "files"

    @model_validator(mode="after")
    def _has_depth(self) -> "DatasetOutput":
        if self.depth == 16 and self.format == "jpeg":
            raise ValueError("depth 16 is for png and tiff, not jpeg")
        return self


class DatasetLimits(Limits):
    """Limits of a dataset.

    max_pixels: the most pixels of an input, and of a result.
    usd, hours: as of a poster.
    max_failures: the job fails if more items fail; None: no limit.
    """

    max_failures: Annotated[int, Field(ge=0, le=10**12)] | None = None


def check_noise_size(field: str, resize: Resize, max_pixels: int, is_fourier: bool) -> None:
    """Raise ValueError if the size of noise is missing or too large.

    Args:
        field: the name of the size's field, for messages.
        resize: the size; its mode must be `exact`.
        max_pixels: the most pixels that are allowed.
        is_fourier: whether the size must also suit the Fourier basis.
    """
    if resize.mode != "exact":
        raise ValueError(
            f"{field}: noise has no size of its own; write both sides, such as 512x384"
        )
    pixels = resize.height * resize.width
    if pixels > max_pixels:
        raise ValueError(
            f"{field}: {resize} is {pixels / 1e6:.0f} megapixels, but at most "
            f"{max_pixels / 1e6:.0f} are allowed; choose a smaller size, or raise limits.max_pixels"
        )
    if is_fourier:
        try:
            check_size((resize.height, resize.width))
        except ValueError as error:
            raise ValueError(f"{field}: {error}") from error


def _default_name(fields: dict[str, Any]) -> str:
    inputs = fields["inputs"]
    if inputs.noise is not None:
        return "noise"
    parts = [part for part in re.split(r"[/\\]", inputs.address) if not set(part) & {*"*?[{"}]
    last = parts[-1] if parts and parts[-1] else "".join(parts[-2:-1])
    stem = re.sub(r"\.(csv|jsonl|parquet|tar)$", "", last)
    return slug(stem)[:NAME_LENGTH].strip("._-") or "dataset"


class DatasetSpec(SpecModel):
    """The spec of a dataset job. The README describes the same fields in YAML.

    Fields without a description are as in PosterSpec.

    inputs: the location of the pictures, or noise.
    resize: the size of each result in pixels: `none` (that of its picture), 1024 (the longest
        side), `fit 800x600`, or 512x384.
    fit, focus: as of a poster; without them, pictures that would be squashed fail.
    fourier: optimise in the Fourier basis from noise, instead of `dream`.
    sweep: lists of values by dotted field names. Each picture is dreamed with all combinations.
    labels: a unique name for each combination, used as `{label}` in output names.
    batch: the number of results of one size that a GPU dreams together; a CPU dreams one at a time.
    sheet: the number of results on the contact sheet.
    """

    kind: Literal["dataset"]
    inputs: Inputs
    name: NameField = Field(default_factory=_default_name)
    resize: _ResizeField = Resize()
    fit: FitField = None
    focus: FocusField = None
    network: NetworkChoice = NetworkChoice(name="pareidolia")
    objectives: Objectives | None = None
    dream: DreamField = Dream()
    fourier: Fourier | None = None
    tiles: Tiles = Tiles()
    precision: Precision = "auto"
    output: DatasetOutput = DatasetOutput()
    sweep: Annotated[dict[str, SweptValues], Field(max_length=100)] = Field(default_factory=dict)
    labels: Annotated[tuple[ShortText, ...], Field(max_length=_MAX_COMBINATIONS)] | None = None
    batch: PositiveCount | Auto = "auto"
    sheet: Annotated[int, Field(ge=0, le=MAX_SHEET)] = 60
    crew: Crew = Crew()
    priority: Annotated[int, Field(ge=0, le=100)] = 50
    limits: DatasetLimits = DatasetLimits()
    notify: NotifyField = ()

    _is_slug = field_validator("name")(validate_name)

    @field_validator("sweep")
    @classmethod
    def _is_sweepable(cls, sweep: dict[str, SweptValues]) -> dict[str, SweptValues]:
        count = 1
        for field, values in sweep.items():
            first = field.split(".")[0]
            if first in _NOT_SWEEPABLE or first not in cls.model_fields:
                raise ValueError(f"cannot sweep {field}; try dream.step_size")
            count *= len(values)
        if count > _MAX_COMBINATIONS:
            raise ValueError(
                f"{count} combinations are more than the limit of {_MAX_COMBINATIONS}; sweep less"
            )
        return sweep

    @model_validator(mode="after")
    def _has_template(self) -> "DatasetSpec":
        if self.output.name is not None:
            check_template(
                self.output.name,
                self.sweep,
                has_labels=self.labels is not None,
                has_single_input=self.inputs.noise is not None,
            )
        return self

    @model_validator(mode="after")
    def _has_size(self) -> "DatasetSpec":
        check_focus(self.fit, self.focus)
        if self.inputs.noise is None:
            if self.fourier is not None:
                raise ValueError("fourier: starts from noise; write inputs: {noise: {seed: 0}}")
            return self
        check_noise_size("resize", self.resize, self.limits.max_pixels, self.fourier is not None)
        if self.fourier is not None and any(objective.mask for objective in self.objectives or ()):
            raise ValueError("objectives: masks do not work with fourier; leave fourier out")
        return self

    @model_validator(mode="after")
    def _has_labels(self) -> "DatasetSpec":
        if self.labels is not None:
            expected = math.prod(map(len, self.sweep.values()))
            if len(self.labels) != expected:
                raise ValueError(
                    f"labels: must be {expected}, one per combination, not {len(self.labels)}"
                )
            if len(set(self.labels)) < expected:
                raise ValueError("labels: must not contain a label twice")
        return self

    @property
    def returns_freed_memory(self) -> bool:
        """Whether workers return freed memory at once instead of keeping it for speed.

        They do if the user limits their memory.
        """
        return self.crew.memory_per_worker != "auto"

    def document(self) -> dict[str, Any]:
        """The spec as plain JSON values with all defaults; it parses back to an equal spec."""
        return self.model_dump(mode="json")
