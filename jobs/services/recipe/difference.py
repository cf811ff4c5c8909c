"""What differs between two recipes, field by field, in the words of a spec."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from jobs.records.keys import is_digest
from jobs.services.recipe.recipe import Recipe

_SHOWN_DIGITS = 12
"""Hex digits of a digest for people, as many as in the id of a job."""

_LONGEST = 60
"""Characters of a value for people."""

_BEFORE = "redo.before"
"""The field with all settings of the picture before a redo: only another redo has them, too."""

_ABSENT = object()
"""The value of a field that a recipe does not have."""


class Difference(NamedTuple):
    """A field that differs, by its dotted name, with its two values.

    in_first, in_second: whether the recipes have the field at all. The value is None without it.
    """

    field: str
    first: Any
    second: Any
    in_first: bool
    in_second: bool

    def texts(self) -> tuple[str, str]:
        """Both values for people, in a few words each."""
        return (
            _text(self.first) if self.in_first else "-",
            _text(self.second) if self.in_second else "-",
        )


def differences(first: Recipe, second: Recipe) -> list[Difference]:
    """The fields that differ: of the spec, then the size and precision, versions and the device.

    Beyond the spec, only what both recipes say is compared.
    """
    beyond, others = _beyond(first), _beyond(second)
    common = [key for key in beyond if key in others]
    return [
        *_compared(first.spec, second.spec),
        *_compared({key: beyond[key] for key in common}, {key: others[key] for key in common}),
    ]


def _beyond(recipe: Recipe) -> dict[str, Any]:
    """What a recipe says beyond its spec."""
    said = dict(recipe.facts)
    if recipe.pixel_version is not None:
        said["pixel_version"] = recipe.pixel_version
    plan = recipe.plan
    if recipe.plan:
        said["plan"] = {
            "size": plan.get("size"),
            "octaves": _count(plan.get("octaves")),
            "precision": plan.get("precision"),
        }
    return said


def _count(octaves: object) -> int | None:
    return len(octaves) if isinstance(octaves, list) else None


def _compared(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[Difference]:
    whole = _BEFORE if ("redo" in first) != ("redo" in second) else ""
    before, after = dict(_flat(first, "", whole)), dict(_flat(second, "", whole))
    for name in dict.fromkeys((*before, *after)):
        one, other = before.get(name, _ABSENT), after.get(name, _ABSENT)
        if one != other:
            has_one, has_other = one is not _ABSENT, other is not _ABSENT
            yield Difference(
                name, one if has_one else None, other if has_other else None, has_one, has_other
            )


def _flat(value: Any, name: str, whole: str) -> Iterator[tuple[str, Any]]:
    """The values in mappings and lists of mappings, by their dotted names.

    whole: the name of a mapping that is one value.
    """
    if name and name == whole:
        yield name, value
        return
    if isinstance(value, Mapping) and value:
        entries = value.items()
    elif isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
        entries = dict(enumerate(value)).items()
    else:
        yield name, value
        return
    for key, entry in entries:
        yield from _flat(entry, f"{name}.{key}" if name else str(key), whole)


def _text(value: Any) -> str:
    if isinstance(value, str) and is_digest(value):
        return value[: len("sha256:") + _SHOWN_DIGITS]
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
