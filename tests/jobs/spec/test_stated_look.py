"""The look of a stored spec, which has its fields and not its name."""

from typing import Any

import pytest

from jobs.spec.document import parse_poster_spec
from jobs.spec.looks import look_names
from jobs.spec.stated_look import find_look

NOISE: dict[str, Any] = {"input": {"noise": {"seed": 1}}, "size": "64x64"}


def stored(document: dict[str, Any]) -> dict[str, Any]:
    return parse_poster_spec(document).document()


@pytest.mark.parametrize("name", look_names())
def test_every_look_is_found_in_a_stored_spec(name: str) -> None:
    assert find_look(stored({**NOISE, "look": name})) == name


def test_another_value_is_no_look() -> None:
    garden = stored({**NOISE, "look": "garden"})
    assert find_look({**garden, "objectives": [{"layer": "classes.relu"}]}) != "garden"
    assert find_look({}) is None
    assert find_look({**garden, "network": "pareidolia", "dream": [1], "objectives": 3}) is None
