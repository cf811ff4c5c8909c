"""What a spec says of the picture that it dreams again: how it was made, and which part changes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    Field,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)

from jobs.spec.base import LocalPath, NetworkChoice, Objectives, SpecModel
from render.dream.config import Dream

MOST_FEATHER = 0.5
"""The widest feather, as a share of the region's shorter side: from both edges to the middle."""

DEFAULT_FEATHER = 0.1

_JOB = r"^[a-z0-9][a-z0-9._-]{0,59}-[0-9a-f]{12}$"

_PERCENT = r"\s*(\d{1,3}(?:\.\d{1,6})?)\s*%\s*"

_REGION = re.compile(f"{_PERCENT},{_PERCENT},{_PERCENT}x{_PERCENT}", re.ASCII)

Box = tuple[float, float, float, float]
"""The left edge, the top edge, the width and the height of a region, as shares of the picture."""


def parse_region(value: object) -> Box:
    """A region from `[0.2, 0.1, 0.15, 0.2]` or the text `20%,10%,15%x20%`. Raises ValueError."""
    if isinstance(value, str) and (match := _REGION.fullmatch(value)):
        value = [float(share) / 100 for share in match.groups()]
    if not isinstance(value, list | tuple) or len(value) != 4:
        raise ValueError("must be LEFT,TOP,WIDTHxHEIGHT, such as 20%,10%,15%x20%")
    if not all(type(one) in (int, float) and one >= 0 for one in value):
        raise ValueError("must be four shares of the picture, such as 20%,10%,15%x20%")
    left, top, width, height = map(float, value)
    for start, length, side in ((left, width, "width"), (top, height, "height")):
        if length == 0:
            raise ValueError(f"has no {side}, so no pixel; write a larger one")
        if round(start + length, 9) > 1:
            raise ValueError(
                f"reaches beyond the picture, to {100 * (start + length):g}% of its {side}; "
                "write a smaller one"
            )
    return left, top, width, height


def parse_feather(value: object) -> float:
    """A feather from 0.1 or the text `10%`. Raises ValueError."""
    if isinstance(value, str) and (match := re.fullmatch(_PERCENT, value, re.ASCII)):
        value = float(match[1]) / 100
    if type(value) in (int, float) and 0 <= value <= MOST_FEATHER:  # type: ignore[operator]
        return float(value)  # type: ignore[arg-type]
    raise ValueError("must be a share of the region's shorter side, from 0% to 50%")


def _without_none(value: object) -> bool:
    return value is None


RegionField = Annotated[
    Annotated[
        Box,
        PlainValidator(parse_region, json_schema_input_type=str),
        # Without it, pydantic warns of a tuple that is no tuple.
        PlainSerializer(list, return_type=list[float]),
    ]
    | None,
    Field(exclude_if=_without_none),
]


class Before(SpecModel):
    """How the older picture was dreamed. Everything else is as in the spec that dreams it again.

    redo: if it was itself dreamed again from a still older one.
    """

    network: NetworkChoice
    objectives: Objectives | None = None
    dream: Dream = Dream()
    redo: Annotated["Redo | None", Field(exclude_if=_without_none)] = None


class Redo(SpecModel):
    """What is dreamed again: a region, or a mask; without both, the whole picture.

    parent: the id of the job that made the older picture.
    before: how it was made.
    region: left, top, width and height.
    mask: a grey picture of any size; black stays as it is.
    feather: the width of the soft edge inside the region, as a share of its shorter side.
    from_octave: the first octave that is dreamed again, from 1.
    """

    parent: Annotated[str, Field(pattern=_JOB)]
    before: Before
    region: RegionField = None
    mask: Annotated[LocalPath | None, Field(exclude_if=_without_none)] = None
    feather: Annotated[
        Annotated[float, PlainValidator(parse_feather, json_schema_input_type=float)] | None,
        Field(exclude_if=_without_none),
    ] = None
    from_octave: Annotated[int, Field(ge=1, le=64)] = 1

    @model_validator(mode="after")
    def _has_a_part(self) -> Self:
        if self.region is not None and self.mask is not None:
            raise ValueError("region and mask: both choose a part; leave one of them out")
        if self.feather is not None and self.region is None:
            raise ValueError("feather: belongs to a region; a mask has its own soft edges")
        if not self.has_part and self.from_octave == 1:
            raise ValueError(
                "needs a region, a mask, or octaves such as 5..; without, it is another render"
            )
        return self

    @property
    def has_part(self) -> bool:
        """Whether only a part of the picture is dreamed again."""
        return self.region is not None or self.mask is not None


_SCHEMA = WithJsonSchema({"type": "object", "maxProperties": len(Redo.model_fields)})

RedoField = Annotated[Annotated[Redo, _SCHEMA] | None, Field(exclude_if=_without_none)]
"""Specs without it do not have the field at all, so their ids stay as they were. The schema does
not follow the chain, which has no end."""


@dataclass(frozen=True)
class RedoRequest:
    """What a user asks for.

    region, feather, octaves: as text, such as `20%,10%,15%x20%`, `10%` and `5..`. mask: a grey
    picture. settings: `key=value` for spec fields; without any, the redo has the next seed.
    may_render_older: render the older picture again if its octaves are kept no longer.
    """

    region: str | None = None
    mask: Path | None = None
    feather: str | None = None
    octaves: str | None = None
    settings: Sequence[str] = ()
    may_render_older: bool = False


def generations(redo: Redo | None) -> tuple[Redo, ...]:
    """The redos of a chain, the newest first."""
    return () if redo is None else (redo, *generations(redo.before.redo))


def nested_networks(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The networks of the older pictures in the document of a spec, the newest first."""
    found, redo = [], document.get("redo")
    while isinstance(redo, dict) and isinstance(before := redo.get("before"), dict):
        if isinstance(network := before.get("network"), dict):
            found.append(network)
        redo = before.get("redo")
    return found
