"""Looks: explicit fields override them, and they are valid for their networks."""

import pytest

from jobs.spec.document import apply_overrides, parse_poster_spec
from jobs.spec.looks import apply_look, describe_look, load_look, look_names
from jobs.spec.poster import PosterSpec
from jobs.text.errors import RequestError
from render.dream.objective import Mix
from render.engine.network_profile import profile_network


def spec_with_look(name: str, *settings: str) -> PosterSpec:
    return parse_poster_spec(apply_overrides({"input": "sky.jpg", "look": name}, settings))


def test_eight_to_twelve_looks_include_the_classics() -> None:
    names = look_names()
    assert 8 <= len(names) <= 12
    assert {"google-2015", "gordicaleksa"} <= set(names)


@pytest.mark.parametrize("name", look_names())
def test_every_look_is_valid_for_its_network(name: str) -> None:
    spec = spec_with_look(name)
    assert spec.network.name == load_look(name)["network"]["name"]
    assert spec.objectives is not None
    assert profile_network(spec.network.name, Mix(spec.objectives), "float32").field > 0
    assert describe_look(name).strip()


def test_explicit_fields_override_the_look() -> None:
    name = look_names()[0]
    plain, changed = spec_with_look(name), spec_with_look(name, "dream.steps=3")
    assert changed.dream.steps == 3
    assert changed.dream.step_size == plain.dream.step_size
    assert changed.objectives == plain.objectives
    layer = [{"layer": "features.3"}]
    assert apply_look({"look": name, "objectives": layer})["objectives"] == layer


def test_spec_file_may_name_a_look() -> None:
    name = look_names()[0]
    document = {"input": "sky.jpg", "look": name}
    assert parse_poster_spec(document).dream == spec_with_look(name).dream
    assert parse_poster_spec(
        apply_overrides({"input": "sky.jpg"}, [f"look={name}"])
    ) == parse_poster_spec(document)


def test_look_of_another_network_is_rejected() -> None:
    with pytest.raises(RequestError, match=r"look \S+: needs network \S+, not alexnet"):
        apply_look({"look": look_names()[0], "network": {"name": "alexnet"}})
    with pytest.raises(RequestError, match="look eys: no such look; nearest"):
        apply_look({"look": "eys"})
