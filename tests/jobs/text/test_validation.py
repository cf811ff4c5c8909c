"""Errors of invalid documents are one short line, whatever the document contains."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from jobs.records.status import Status
from jobs.records.stored_spec import RunSettings
from jobs.spec.atlas import AtlasSpec
from jobs.spec.base import SpecModel
from jobs.spec.dataset import DatasetSpec
from jobs.spec.document import validate_as
from jobs.spec.poster import PosterSpec
from jobs.text.errors import RequestError
from jobs.text.validation import describe_errors

SPECS: dict[type[SpecModel], dict[str, Any]] = {
    PosterSpec: {"input": {"noise": {"seed": 1}}, "size": "64x64"},
    DatasetSpec: {"kind": "dataset", "inputs": {"noise": {"seed": 1}}, "resize": "64x64"},
    AtlasSpec: {"kind": "atlas", "of": {"layer": "mixed3a"}},
}
FIELDS = sorted({field for model in SPECS for field in model.model_fields})
PARTS = ["at", "layer", "octaves", "schedule", "gaussian", "workers", "noise", "name", "seed"]
deep = st.integers(1, 900).map(lambda depth: json.loads("[" * depth + "]" * depth))
# By their digits: no text can be made of the number with 5,000.
long_numbers = st.sampled_from([20, 181, 5000]).map(lambda digits: 10**digits)
floats = st.sampled_from([1e308, float("inf"), float("nan")])
scalars = st.none() | st.booleans() | st.integers() | floats | long_numbers | st.text()
values = (
    st.recursive(
        scalars,
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.text() | st.sampled_from(PARTS), inner, max_size=4)
        ),
        max_leaves=12,
    )
    | deep
    | deep.map(lambda value: {"layer": "a", "at": value})
)


@given(st.sampled_from(list(SPECS)), st.dictionaries(st.sampled_from(FIELDS), values, max_size=3))
def test_a_spec_of_any_values_is_valid_or_one_line(
    model: type[SpecModel], changes: dict[str, Any]
) -> None:
    try:
        validate_as(model, SPECS[model] | changes)
    except RequestError as error:
        assert str(error)
        assert len(str(error)) < 2000


@given(st.sampled_from([Status, RunSettings, PosterSpec]), values, values)
def test_any_error_of_any_document_is_described(model: Any, value: Any, other: Any) -> None:
    """Also if the document is not the one that has the errors."""
    with pytest.raises(ValidationError) as error:
        model.model_validate({"priority": value, "phase": value, "at": other, "input": other})
    documents: list[Any] = [value, other, None, [], {"priority": []}]
    for document in documents:
        assert describe_errors(error.value, model, document)


@pytest.mark.parametrize(
    ("objective", "message"),
    [
        ({"at": [[]]}, "objectives.0.at.0: must be a list of 2, not []"),
        ({"at": [[0.5]]}, "objectives.0.at.0: must be a list of 2, not [0.5]"),
        ({"at": []}, "objectives.0: at must not be empty; leave it out for every position"),
        ({"layer": "x" * 99}, None),
        ({"x" * 999: 1}, f"objectives.0.{'x' * 60}…: no such key; known: "),
    ],
)
def test_short_lists_and_long_keys_are_named(
    objective: dict[str, Any], message: str | None
) -> None:
    document = SPECS[PosterSpec] | {"objectives": [{"layer": "mixed3a"} | objective]}
    if message is None:
        validate_as(PosterSpec, document)
        return
    with pytest.raises(RequestError) as error:
        validate_as(PosterSpec, document)
    assert str(error.value).startswith(message)


def test_very_many_errors_are_counted_only() -> None:
    with pytest.raises(RequestError, match=r"^5000 errors; it is something else"):
        validate_as(PosterSpec, SPECS[PosterSpec] | {f"k{n}": n for n in range(5000)})


BOUNDS = [
    ("crew.workers", 512),
    ("crew.cpus_per_worker", 65_536),
    ("crew.gpus_per_worker", 64),
    ("crew.memory_per_worker", 1 << 50),
    ("tiles.size", 65_536),
    ("dream.octaves", 64),
    ("dream.steps", 100_000),
    ("dream.jitter", 100_000),
    ("dream.seed", 2**63 - 1),
    ("limits.max_pixels", 10**12),
    ("priority", 100),
]


@pytest.mark.parametrize(("field", "most"), BOUNDS)
def test_numbers_have_bounds(field: str, most: int) -> None:
    def document(value: int) -> dict[str, Any]:
        part, _, name = field.partition(".")
        return SPECS[PosterSpec] | {part: {name: value} if name else value}

    validate_as(PosterSpec, document(most))
    for value in (most + 1, 10**181):
        with pytest.raises(RequestError, match=r"(at most|below|must be)"):
            validate_as(PosterSpec, document(value))


@pytest.mark.parametrize(
    "objective",
    [
        {"channels": list(range(10_001))},
        {"channels": [2**31]},
        {"at": [[0.5, 0.5]] * 10_001},
        {"weight": 1e13},
        {"schedule": {"octaves": [1.0] * 1001}},
        {"schedule": {"steps": [1e7]}},
    ],
)
def test_lists_and_weights_have_bounds(objective: dict[str, Any]) -> None:
    with pytest.raises(RequestError, match=r"^objectives"):
        validate_as(
            PosterSpec, SPECS[PosterSpec] | {"objectives": [{"layer": "mixed3a"} | objective]}
        )
