"""Looks: fragments that stand under what is said, and fit their networks."""

from pathlib import Path

import pytest

from jobs.spec.document import override, spec_for_picture, spec_of
from jobs.spec.looks.look import about, look, look_names, with_look
from jobs.spec.poster import Spec
from jobs.text.errors import RequestError
from render.dream.objective import Mix
from render.engine.network_profile import survey


def dressed(name: str, *settings: str) -> Spec:
    return spec_of(override(spec_for_picture(Path("sky.jpg"), look=name), settings))


def test_there_are_eight_to_twelve_and_the_two_of_2015_and_of_gordicaleksa() -> None:
    names = look_names()
    assert 8 <= len(names) <= 12
    assert {"google-2015", "gordicaleksa"} <= set(names)


@pytest.mark.parametrize("name", look_names())
def test_a_look_is_a_dream_that_its_network_has(name: str) -> None:
    spec = dressed(name)
    assert spec.network.name == look(name)["network"]["name"]
    assert spec.objectives is not None
    assert survey(spec.network.name, Mix(spec.objectives), "float32").field > 0
    assert about(name).strip()


def test_what_is_said_counts_more_than_the_look() -> None:
    name = look_names()[0]
    plain, changed = dressed(name), dressed(name, "dream.steps=3")
    assert changed.dream.steps == 3
    assert changed.dream.step_size == plain.dream.step_size
    assert changed.objectives == plain.objectives
    layer = [{"layer": "features.3"}]
    assert with_look({"look": name, "objectives": layer})["objectives"] == layer


def test_a_spec_may_name_its_look() -> None:
    name = look_names()[0]
    document = {"input": "sky.jpg", "look": name}
    assert spec_of(document).dream == dressed(name).dream
    assert spec_of(override({"input": "sky.jpg"}, [f"look={name}"])) == spec_of(document)


def test_a_look_is_of_its_network() -> None:
    with pytest.raises(RequestError, match=r"look \S+: is of \S+, not of alexnet"):
        with_look({"look": look_names()[0], "network": {"name": "alexnet"}})
    with pytest.raises(RequestError, match="look eys: no such look; nearest"):
        with_look({"look": "eys"})
