"""A spec to begin with is valid, shows every field, and its settings are those it has anyway."""

import re

import pytest

from jobs.spec.document import expand_shorthands
from jobs.spec.kinds import SPEC_KINDS, AnySpec, parse_spec
from jobs.spec.looks import look_names
from jobs.spec.template import spec_template
from jobs.text.errors import RequestError
from jobs.text.yaml_json import parse_yaml

LOOKS = (None, *look_names())

_SETTING = re.compile(r"^#(?=[a-z]|  \S)", re.MULTILINE)


def parsed(text: str) -> AnySpec:
    return parse_spec(expand_shorthands(parse_yaml(text)))


@pytest.mark.parametrize("kind", SPEC_KINDS)
@pytest.mark.parametrize("look", LOOKS)
def test_settings_without_their_sign_change_nothing(kind: str, look: str | None) -> None:
    text = spec_template(kind, look, "x.schema.json", "x.yaml")
    assert parsed(text) == parsed(_SETTING.sub("", text))


@pytest.mark.parametrize("kind", SPEC_KINDS)
def test_every_field_of_the_kind_is_there(kind: str) -> None:
    text = spec_template(kind, None, "x.schema.json", "x.yaml")
    missing = {
        field
        for field in SPEC_KINDS[kind].model.model_fields
        if not re.search(rf"^#?{field}:", text, re.MULTILINE)
    }
    assert missing <= {"redo"}
    assert re.search(r"^# yaml-language-server: \$schema=x\.schema\.json$", text, re.MULTILINE)
    assert max(map(len, text.splitlines())) <= 130


def test_a_look_decides_the_values_that_are_shown() -> None:
    text = spec_template("poster", "garden", "s", "x.yaml")
    assert "\nlook: garden  # daisies, lilies, sunflowers and tulips\n" in text
    assert "\n#  step_size: 0.07\n" in text
    assert "\n#  step_size: 0.04\n" in spec_template("poster", None, "s", "x.yaml")


def test_an_atlas_takes_the_layers_of_a_look() -> None:
    spec = parsed(spec_template("atlas", "engraving", "s", "x.yaml"))
    assert spec.network.name == "squeezenet1_0"
    assert spec.document()["labels"] == ["features.3", "features.6"]


@pytest.mark.parametrize(("kind", "look"), [("postr", None), ("poster", "gardn")])
def test_an_unknown_word_is_refused(kind: str, look: str | None) -> None:
    with pytest.raises(RequestError, match=r"no such (kind|look); nearest: "):
        spec_template(kind, look, "s", "x.yaml")
