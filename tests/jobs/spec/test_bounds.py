"""Every number, text and list of a spec has a bound, and the schema states it."""

from collections.abc import Iterator
from typing import Any

import pytest

from jobs.spec.kinds import SPEC_KINDS, parse_spec
from jobs.text.errors import RequestError

_BOUNDS = {
    "integer": (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")),
    "number": (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")),
    "string": (("maxLength", "pattern"),),
    "array": (("maxItems",),),
    "object": (("properties", "maxProperties"),),
}

_SWEPT = "/properties/sweep/additionalProperties/items"
"""Values of a sweep may be anything: each combination is validated as a spec of its own."""


def unbounded(node: Any, path: str = "") -> Iterator[str]:
    """The paths of values without a bound in a schema."""
    if isinstance(node, list):
        for number, entry in enumerate(node):
            yield from unbounded(entry, f"{path}/{number}")
    if not isinstance(node, dict) or {"const", "enum"} & set(node):
        return
    for words in _BOUNDS.get(str(node.get("type")), ()):
        if not set(words) & set(node):
            yield path
    parent = path.rpartition("/")[2]
    says_nothing = not {"type", "anyOf", "$ref", "allOf", "oneOf"} & set(node)
    if path and says_nothing and parent not in ("properties", "$defs", "propertyNames"):
        yield path
    for name, entry in node.items():
        if name not in ("default", "required", "discriminator"):
            yield from unbounded(entry, f"{path}/{name}")


@pytest.mark.parametrize("kind", SPEC_KINDS)
def test_every_value_of_a_spec_has_a_bound_in_the_schema(kind: str) -> None:
    found = set(unbounded(SPEC_KINDS[kind].model.model_json_schema()))
    assert found - {_SWEPT} == set()


def test_a_schema_without_bounds_is_noticed() -> None:
    node = {"properties": {"a": {"type": "integer", "minimum": 1}, "b": {}}, "type": "object"}
    assert list(unbounded(node)) == ["/properties/a", "/properties/b"]


_LONG = "x" * 5000


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"input": _LONG}, "input.path: must be a path of at most 4096 characters"),
        ({"size": _LONG}, "size: must have at most 200 characters"),
        ({"size": [1] * 9999}, "size: must be text"),
        ({"name": _LONG}, "name: must be at most 1000 characters"),
        ({"objectives": [{"layer": _LONG}]}, "layer must have at most 1000 characters"),
        ({"objectives": [{"classes": [_LONG]}]}, "classes must have names of at most 1000"),
        ({"objectives": [{"layer": "a", "mask": _LONG}]}, "mask must be a path of at most 4096"),
        ({"dream": {"strength": _LONG}}, "strength must be a path of at most 4096 characters"),
        ({"kind": "poster" * 999}, "kind: must be poster, dataset or atlas"),
        ({"crew": {"memory_per_worker": 2**60}}, "crew.memory_per_worker: must be at most"),
        ({"crew": {"workers": 10**9}}, "crew.workers: must be at most 512"),
    ],
)
def test_values_beyond_the_bounds_are_refused_in_a_short_line(
    fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(RequestError) as caught:
        parse_spec({"input": {"noise": {"seed": 1}}, "size": "64x64"} | fields)
    assert said in str(caught.value)
    assert len(str(caught.value)) < 2000


def test_weights_without_a_network_say_what_is_missing() -> None:
    spec = {"input": "a.png", "network": {"weights": __file__}}  # which names no network
    with pytest.raises(RequestError, match="weights need the name of their network; write network"):
        parse_spec(spec)
