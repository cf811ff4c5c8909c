"""Validation errors of pydantic as one line for users.

The idea is from `_convert_pydantic_error.py` of openjd-model-for-python.
"""

import dataclasses
import json
from collections.abc import Sequence
from typing import Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from jobs.text.errors import Fault, FieldPath, join_faults, shortened_key
from render.errors import suggest

_EXPECTED = {
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
    "string_too_long": "at most {max_length} characters",
    "too_long": "at most {max_length} entries",
    "too_short": "a list of at least {min_length}",
    "tuple_type": "a list",
}

_UNKNOWN_KEY = ("extra_forbidden", "unexpected_keyword_argument")

_VALUE_LENGTH = 40
"""The most characters of a value in a message."""


_MAX_DETAILS = 1000
"""The most errors that are looked at: a document of 32 MiB may contain millions."""


def describe_errors(error: ValidationError, model: type[BaseModel], document: object) -> str:
    """Describe the first few errors of a document that does not match a model, joined by `; `.

    Whatever the document contains, this raises nothing.

    Example: `dream.setps: no such key; nearest: steps`, `priority: must be at most 100, not 101`.
    """
    return join_faults(find_faults(error, model, document))


def find_faults(error: ValidationError, model: type[BaseModel], document: object) -> list[Fault]:
    """The errors of a document that does not match a model. Raises nothing."""
    if error.error_count() > _MAX_DETAILS:
        return [Fault((), f"{error.error_count()} errors; it is something else")]
    by_field: dict[FieldPath, list[ErrorDetails]] = {}
    for detail in error.errors():
        if not _is_follow_up(detail):
            by_field.setdefault(_field_path(detail, document), []).append(detail)
    # An unknown kind hides which other keys are valid.
    if ("kind",) in by_field:
        by_field = {("kind",): by_field["kind",]}
    return [Fault(path, _describe(path, details, model)) for path, details in by_field.items()]


def _is_follow_up(detail: ErrorDetails) -> bool:
    # A default derived from an invalid field, or a list that is empty without its invalid entries.
    return detail["type"] == "default_factory_not_called" or (
        detail["type"] == "too_short" and bool(detail["input"])
    )


def _describe(path: FieldPath, details: Sequence[ErrorDetails], model: type[BaseModel]) -> str:
    """What is wrong with a field."""
    first = details[0]
    if first["type"] in _UNKNOWN_KEY:
        key = shortened_key((path or first["loc"] or ("",))[-1])
        return f"no such key; {_suggestion(model, path[:-1], key)}"
    if first["type"] == "missing":
        return _missing(details)
    if first["type"] == "value_error":
        return str(first["ctx"]["error"])
    allowed = [
        _EXPECTED[detail["type"]].format(**detail.get("ctx", {}))
        for detail in details
        if detail["type"] in _EXPECTED
    ]
    if not allowed:
        return first["msg"]
    return f"must be {' or '.join(allowed)}, not {_shortened(first['input'])}"


def _missing(details: Sequence[ErrorDetails]) -> str:
    positions = [one["loc"][-1] for one in details if one["loc"]]
    entries = [position for position in positions if isinstance(position, int)]
    if not entries:
        return "is missing"
    return f"must be a list of {max(entries) + 1}, not {_shortened(details[0]['input'])}"


def _shortened(value: object) -> str:
    text = f"'{value}'" if isinstance(value, str) else _start_of_json(value)
    return text if len(text) <= _VALUE_LENGTH else f"{text[:_VALUE_LENGTH]}…"


def _start_of_json(value: object) -> str:
    """The first characters of a value as JSON. It encodes no more, however deep the value is."""
    text = ""
    try:
        for part in json.JSONEncoder(ensure_ascii=False, default=str).iterencode(value):
            text += part
            if len(text) > _VALUE_LENGTH:
                break
    except (TypeError, ValueError):  # a number of too many digits, or a key that is not text
        return text or "such a value"
    return text


def _field_path(detail: ErrorDetails, document: Any) -> FieldPath:
    # The location also names branches of unions, which the document does not contain.
    path: list[int | str] = []
    for part in detail["loc"]:
        # An entry that is missing from a list has a place, too.
        in_list = isinstance(document, list) and isinstance(part, int) and part < len(document)
        if in_list or (isinstance(document, dict) and part in document):
            document = document[part]
            path.append(part)
    if detail["type"] == "missing":
        path += [key for key in detail["loc"][-1:] if isinstance(key, str)]
    return tuple(path)


def _suggestion(model: type[BaseModel], path: FieldPath, key: str) -> str:
    """The keys that a wrong one may mean: of that name one level deeper, or similar ones."""
    known = _fields_at(model, path)
    deeper = _deeper_keys(model, path, key)
    if deeper and not any(key in other for other in known):  # for `size`, `resize` is better
        return f"nearest: {', '.join(deeper)}"
    return suggest(key, known)


def _deeper_keys(model: type[BaseModel], path: FieldPath, key: str) -> list[str]:
    """The keys of that name one level deeper, with their paths: `dream.seed` for `seed`."""
    return [
        ".".join(str(part) for part in (*path, outer, *_first_entry(hint), key))
        for outer, hint in _fields_at(model, path).items()
        if key in _fields(hint)
    ]


def _first_entry(annotation: Any) -> FieldPath:
    """The path of the first entry of a list: (0,); () for anything else."""
    is_list = get_origin(annotation) in (list, tuple)
    return (0,) if is_list or any(map(_first_entry, get_args(annotation))) else ()


def _fields_at(model: type[BaseModel], path: FieldPath) -> dict[str, Any]:
    model_or_type: Any = model
    for part in path:
        model_or_type = _fields(model_or_type).get(str(part), model_or_type)
    return _fields(model_or_type)


def _fields(annotation: Any) -> dict[str, Any]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {name: field.annotation for name, field in annotation.model_fields.items()}
    if isinstance(annotation, type) and dataclasses.is_dataclass(annotation):
        hints = get_type_hints(annotation)
        return {field.name: hints[field.name] for field in dataclasses.fields(annotation)}
    return {key: hint for part in get_args(annotation) for key, hint in _fields(part).items()}
