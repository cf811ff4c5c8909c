"""The JSON schema of spec files agrees with the parser, and tells the help of every field."""

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from jobs.spec.kinds import SPEC_KINDS, parse_spec
from jobs.spec.looks import look_names
from jobs.spec.schema import Schema, model_schema, spec_schema
from jobs.text.errors import RequestError

POSTER = {"input": "sky.jpg", "size": "64x48"}
DATASET = {"kind": "dataset", "inputs": "photos"}
ATLAS = {"kind": "atlas", "of": {"classes": [1]}}

GOOD: list[dict[str, Any]] = [
    POSTER,
    {**POSTER, "kind": "poster", "look": "garden"},
    {**POSTER, "size": 600, "tiles": 512, "network": "squeezenet1_0", "outputs": ["png"]},
    {**POSTER, "outputs": ["jpeg", {"format": "tiff", "depth": 16}], "tiles": {"size": "auto"}},
    {**POSTER, "input": {"noise": {"seed": 7}}},
    {**POSTER, "look": "birds", "network": {"weights": "pretrained"}},
    {**POSTER, "network": {"onnx": "net.onnx"}},
    {**POSTER, "dream": {"steps": 4, "smooth": None}, "crew": {"memory_per_worker": "1.5GiB"}},
    {**POSTER, "limits": {"max_pixels": 2e9}},
    DATASET,
    {**DATASET, "output": "jpeg", "sweep": {"dream.steps": [1, 2]}, "resize": 1024},
    ATLAS,
    {**ATLAS, "network": {"name": "pareidolia"}, "start": {"noise": {"seed": 1}}},
]

BAD: list[dict[str, Any]] = [
    {},
    {"size": "64x48"},
    {**POSTER, "sise": 3},
    {**POSTER, "dream": {"setps": 3}},
    {**POSTER, "dream": {"steps": -1}},
    {**POSTER, "priority": 101},
    {**POSTER, "look": "gardn"},
    {**POSTER, "kind": "postr"},
    {**POSTER, "outputs": ["gif"]},
    {**DATASET, "input": "sky.jpg"},
    {**DATASET, "sheet": 10_000},
    {**ATLAS, "look": "garden"},
    {"kind": "atlas"},
]


def objects(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """The name and the schema of each object with fields."""
    yield str(schema["$id"]), schema
    yield from schema["$defs"].items()


@pytest.fixture(scope="module")
def union() -> Any:
    schema = spec_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("document", GOOD)
def test_what_the_parser_takes_is_valid(union: Any, document: dict[str, Any]) -> None:
    parse_spec(document)
    union.validate(document)
    alone = spec_schema(str(document.get("kind", "poster")))
    jsonschema.Draft202012Validator(alone).validate(document)


@pytest.mark.parametrize("document", BAD)
def test_what_the_parser_refuses_is_not(union: Any, document: dict[str, Any]) -> None:
    with pytest.raises(RequestError):
        parse_spec(document)
    assert not union.is_valid(document)


def test_the_error_is_that_of_the_kind_that_is_meant(union: Any) -> None:
    (error,) = union.iter_errors({**DATASET, "sheet": 10_000})
    assert error.json_path == "$.sheet"
    assert "800" in error.message


@pytest.mark.parametrize("kind", [None, *SPEC_KINDS])
def test_every_field_has_help(kind: str | None) -> None:
    without = [
        (name, field)
        for name, node in objects(spec_schema(kind))
        for field, one in node.get("properties", {}).items()
        if len(one.get("description", "")) < 10
    ]
    assert without == []


def test_help_is_that_of_the_docstrings_with_ranges_and_defaults() -> None:
    steps = spec_schema("poster")["$defs"]["Dream"]["properties"]["steps"]
    assert steps["description"].startswith("Gradient steps in each octave, from 0 to 100000;")
    assert (steps["minimum"], steps["maximum"], steps["default"]) == (0, 100_000, 10)
    assert spec_schema("poster")["properties"]["size"]["default"] == "x1"
    # A dataset says only what differs from a poster.
    shared = [spec_schema(kind)["properties"]["priority"]["description"] for kind in SPEC_KINDS]
    assert shared == ["From 0 to 100; the waiting job with the higher priority runs first."] * 3


def test_looks_are_offered_with_what_they_show() -> None:
    look = spec_schema("dataset")["properties"]["look"]
    assert look["enum"] == look_names()
    assert "daisies, lilies, sunflowers and tulips" in look["enumDescriptions"]


def test_forms_get_the_models_without_shorthands() -> None:
    schema = model_schema("poster")
    assert "look" not in schema["properties"]
    assert schema["properties"]["network"]["$ref"] == "#/$defs/NetworkChoice"
    assert schema["properties"]["size"]["default"] == "x1"


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(RequestError, match="kind postr: no such kind; nearest: poster"):
        spec_schema("postr")
