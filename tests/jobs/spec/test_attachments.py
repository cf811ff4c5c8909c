"""Masks, guides and profiles in a document are found and changed everywhere."""

from typing import Any

from jobs.spec.attachments import attachment_paths, map_attachments

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


def test_paths_are_found_once() -> None:
    assert attachment_paths(DOCUMENT) == ["flowers.jpg", "left.png", "right.png", "sky.jpg"]
    assert attachment_paths({"input": {"path": "mask.png"}, "name": "guide"}) == []


def test_only_attachment_paths_are_changed() -> None:
    changed = map_attachments(DOCUMENT, str.upper)
    assert attachment_paths(changed) == ["FLOWERS.JPG", "LEFT.PNG", "RIGHT.PNG", "SKY.JPG"]
    assert map_attachments(changed, str.lower) == DOCUMENT
    assert changed["inputs"] == {"path": "photos"}
    assert changed["objectives"][2] == {"layer": "c", "mask": None}
    assert changed["sweep"]["dream.strength"][2] is None
    assert changed["sweep"]["dream.steps"] == [1, 2]


def test_values_that_are_not_paths_are_left_unchanged() -> None:
    odd = {"dream": {"strength": 5}, "objectives": "mask"}
    assert map_attachments(odd, str.upper) == odd
    assert attachment_paths(odd) == []


def test_a_profile_is_a_path_or_the_name_of_the_general_one() -> None:
    outputs = [
        {"format": "tiff", "profile": "shop.icc"},
        {"format": "jpeg", "profile": "cmyk"},
        {"format": "png"},
    ]
    document = {"outputs": outputs, "dream": {"strength": "cmyk"}}
    assert attachment_paths(document) == ["shop.icc", "cmyk"]
    changed = map_attachments(document, str.upper)
    assert [one.get("profile") for one in changed["outputs"]] == ["SHOP.ICC", "cmyk", None]
    assert changed["dream"] == {"strength": "CMYK"}, "a mask may have that name"
