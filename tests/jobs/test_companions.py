"""Masks and guides in a document: found and changed wherever they may stand."""

from typing import Any

from jobs.spec.attachments import companions, with_companions

DOCUMENT: dict[str, Any] = {
    "kind": "dataset",
    "inputs": {"path": "photos"},
    "objectives": [
        {"layer": "a", "guide": "flowers.jpg"},
        {"layer": "b", "mask": "left.png", "weight": -1.0},
        {"layer": "c", "mask": None},
    ],
    "dream": {"steps": 3, "strength": "left.png"},
    "sweep": {
        "dream.strength": ["left.png", "right.png", None],
        "objectives": [[{"layer": "d", "guide": "sky.jpg"}]],
        "dream.steps": [1, 2],
    },
}


def test_each_is_found_once() -> None:
    assert companions(DOCUMENT) == ["flowers.jpg", "left.png", "right.png", "sky.jpg"]
    assert companions({"input": {"path": "mask.png"}, "name": "guide"}) == []


def test_each_is_changed_and_nothing_else() -> None:
    changed = with_companions(DOCUMENT, str.upper)
    assert companions(changed) == ["FLOWERS.JPG", "LEFT.PNG", "RIGHT.PNG", "SKY.JPG"]
    assert with_companions(changed, str.lower) == DOCUMENT
    assert changed["inputs"] == {"path": "photos"}
    assert changed["objectives"][2] == {"layer": "c", "mask": None}
    assert changed["sweep"]["dream.strength"][2] is None
    assert changed["sweep"]["dream.steps"] == [1, 2]


def test_what_is_no_path_is_left_for_the_spec_to_refuse() -> None:
    odd = {"dream": {"strength": 5}, "objectives": "mask"}
    assert with_companions(odd, str.upper) == odd
    assert companions(odd) == []
