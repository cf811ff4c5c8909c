"""What a spec's reader says to people: pydantic's errors as one line, with places and remedies.

The idea is openjd-model-for-python's `_convert_pydantic_error.py`.
"""

import dataclasses
import json
from collections.abc import Sequence
from typing import Any, get_args, get_type_hints

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from render.errors import suggestion

_ALLOWED = {
    "byte_size": "a number of bytes such as 1.5GiB",
    "byte_size_unit": "a number of bytes such as 1.5GiB",
    "dataclass_type": "a mapping",
    "finite_number": "a finite number",
    "float_type": "a number",
    "greater_than": "above {gt}",
    "greater_than_equal": "at least {ge}",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "less_than": "below {lt}",
    "less_than_equal": "at most {le}",
    "literal_error": "{expected}",
    "model_type": "a mapping",
    "string_too_short": "text",
    "string_type": "text",
    "too_short": "a list of at least {min_length}",
    "tuple_type": "a list",
}

_UNKNOWN_KEY = ("extra_forbidden", "unexpected_keyword_argument")

_SHOWN, _TOLD = 40, 4
"""Characters of a value, and complaints, that are told: who gives a whole other document, such as a
manifest, would not read all."""


Place = tuple[int | str, ...]


def one_line(error: ValidationError, model: type[BaseModel], document: object) -> str:
    """The first few complaints about a document that is not that model, joined by `; `.

    `dream.setps: no such key; nearest: steps`, `priority: must be at most 100, not 101`.
    """
    complaints: dict[Place, list[ErrorDetails]] = {}
    for detail in error.errors():
        if not _is_consequence(detail):
            complaints.setdefault(_place(detail, document), []).append(detail)
    # Under a kind that is not known, no other key can be judged.
    if ("kind",) in complaints:
        complaints = {("kind",): complaints["kind",]}
    told = [_complaint(place, details, model) for place, details in complaints.items()]
    more = [f"and {len(told) - _TOLD} more like these"] if len(told) > _TOLD else []
    return "; ".join([*told[:_TOLD], *more])


def _is_consequence(detail: ErrorDetails) -> bool:
    # A default made from a faulty field, or a list found empty after its faulty entries were left.
    return detail["type"] == "default_factory_not_called" or (
        detail["type"] == "too_short" and bool(detail["input"])
    )


def _complaint(place: Place, details: Sequence[ErrorDetails], model: type[BaseModel]) -> str:
    first = details[0]
    where = f"{'.'.join(map(str, place))}: " if place else ""
    if first["type"] in _UNKNOWN_KEY:
        return f"{where}no such key; {suggestion(str(place[-1]), _keys(model, place[:-1]))}"
    if first["type"] == "missing":
        return f"{where}is missing"
    if first["type"] == "value_error":
        return f"{where}{first['ctx']['error']}"
    allowed = [
        _ALLOWED[detail["type"]].format(**detail.get("ctx", {}))
        for detail in details
        if detail["type"] in _ALLOWED
    ]
    if not allowed:
        return f"{where}{first['msg']}"
    return f"{where}must be {' or '.join(allowed)}, not {_shown(first['input'])}"


def _shown(value: object) -> str:
    text = f"'{value}'" if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _place(detail: ErrorDetails, document: Any) -> Place:
    # pydantic's place also names the branch of a union, of which the document knows nothing.
    place: list[int | str] = []
    for part in detail["loc"]:
        in_list = isinstance(document, list) and isinstance(part, int)
        if in_list or (isinstance(document, dict) and part in document):
            document = document[part]
            place.append(part)
    return (*place, detail["loc"][-1]) if detail["type"] == "missing" else tuple(place)


def _keys(model: type[BaseModel], place: Place) -> list[str]:
    here: Any = model
    for part in place:
        here = _fields(here).get(str(part), here)
    return list(_fields(here))


def _fields(annotation: Any) -> dict[str, Any]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {name: field.annotation for name, field in annotation.model_fields.items()}
    if isinstance(annotation, type) and dataclasses.is_dataclass(annotation):
        hints = get_type_hints(annotation)
        return {field.name: hints[field.name] for field in dataclasses.fields(annotation)}
    return {key: hint for part in get_args(annotation) for key, hint in _fields(part).items()}
