"""Bounds of parameters, which a dataclass checks and a schema states."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_INNER = {"integer": "number", "number": "number", "array": "array", "string": "string"}

_WORDS = {
    "number": ("minimum", "maximum"),
    "array": ("minItems", "maxItems"),
    "string": ("minLength", "maxLength"),
}


@dataclass(frozen=True)
class Bounds:
    """The least and the greatest number, or the same of the length of a text or list.

    It stands in the `Annotated` type of a field. There pydantic, which `render` does not need,
    finds what its JSON schema states. The field's dataclass checks the bounds.

    above: the least number itself is not allowed.
    """

    low: float
    high: float
    above: bool = False

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high and not (self.above and value == self.low)

    def __get_pydantic_json_schema__(self, core: Any, handler: Callable[[Any], Any]) -> Any:
        schema = handler(core)
        for part in schema.get("anyOf", [schema]):
            kind = _INNER.get(part.get("type", ""))
            if kind is not None and "const" not in part and "enum" not in part:
                low, high = _WORDS[kind]
                part.setdefault("exclusiveMinimum" if self.above else low, self.low)
                part.setdefault(high, self.high)
        return schema
