"""The field `notify` of specs: names, and never addresses."""

import json
from typing import Any

import pytest

from jobs.planning.identity import poster_identity
from jobs.records.stored_spec import RunSettings
from jobs.spec.atlas import AtlasSpec
from jobs.spec.atlas_expansion import expand_atlas
from jobs.spec.dataset import DatasetSpec
from jobs.spec.document import expand_shorthands, parse_poster_spec
from jobs.spec.kinds import parse_spec
from jobs.text.errors import RequestError

POSTER = {"input": {"noise": {"seed": 1}}, "size": "64x64"}
DATASET = {"kind": "dataset", "inputs": "photos"}
ATLAS = {"kind": "atlas", "network": "lenet5", "of": {"classes": [1, 2]}}


def parse_dataset(document: dict[str, Any]) -> DatasetSpec:
    spec = parse_spec(document)
    assert isinstance(spec, DatasetSpec)
    return spec


def parse_atlas(document: dict[str, Any]) -> AtlasSpec:
    return AtlasSpec.model_validate_json(json.dumps(expand_shorthands(document)))


def test_each_kind_may_name_whom_to_tell() -> None:
    notify = {"notify": ["phone", "studio-2"]}
    assert parse_poster_spec(POSTER | notify).notify == ("phone", "studio-2")
    assert parse_dataset(DATASET | notify).notify == ("phone", "studio-2")
    expanded = expand_atlas(parse_atlas(ATLAS | notify))
    assert parse_dataset(expanded).notify == ("phone", "studio-2")
    assert RunSettings.of(parse_poster_spec(POSTER | notify)).notify == ("phone", "studio-2")


def test_specs_without_it_stay_as_they_were() -> None:
    spec = parse_poster_spec(POSTER)
    assert "notify" not in spec.document()
    assert b"notify" not in RunSettings.of(spec).encode()
    assert "notify" not in expand_atlas(parse_atlas(ATLAS))


def test_it_does_not_change_the_job() -> None:
    ids = [
        poster_identity(parse_poster_spec(POSTER | more), weights="sha256:02")
        for more in ({}, {"notify": ["phone"]})
    ]
    assert ids[0] == ids[1]


@pytest.mark.parametrize(
    "name",
    [
        "http://169.254.169.254/latest/meta-data/",
        "https://hooks.example.org/t0ken",
        "tgram://t0ken/chat",
        "mailto:me@example.org",
        "me@example.org",
        "//example.org",
    ],
)
def test_an_address_is_refused_and_not_repeated(name: str) -> None:
    with pytest.raises(RequestError, match=r"notify\.0: is an address; ") as caught:
        parse_poster_spec(POSTER | {"notify": [name]})
    assert name not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (["Phone"], "must be a name of at most 40 of a-z"),
        ([""], "must be a name of at most 40 of a-z"),
        (["a" * 41], "must be a name of at most 40 of a-z"),
        (["https+1"], "must be a name of at most 40 of a-z"),
        ([7], "must be text"),
        ("phone", "must be a list"),
        (["a"] * 21, "must be at most 20 entries"),
    ],
)
def test_other_values_are_refused(value: Any, problem: str) -> None:
    with pytest.raises(RequestError, match=problem):
        parse_poster_spec(POSTER | {"notify": value})


def test_a_sweep_cannot_change_it() -> None:
    sweep = {"sweep": {"notify": [["a"], ["b"]]}}
    with pytest.raises(RequestError, match="cannot sweep notify"):
        parse_dataset(DATASET | sweep)
