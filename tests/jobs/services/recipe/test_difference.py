"""What differs between two recipes."""

from pathlib import Path
from typing import Any

import pytest

from jobs.planning.poster import PosterPlan
from jobs.services.recipe.difference import Difference, differences
from jobs.services.recipe.recipe import Recipe, recipe_of_label, recipe_of_record
from tests.support.small_poster import plan_poster


def recipe_of(plan: PosterPlan) -> Recipe:
    return recipe_of_label(plan.label(), "some.png")


def made_by(spec: dict[str, Any]) -> Recipe:
    return Recipe("some.png", spec, None)


def fields(found: list[Difference]) -> dict[str, tuple[Any, Any]]:
    return {one.field: (one.first, one.second) for one in found}


@pytest.fixture
def plan(picture: Path, weights: Path) -> PosterPlan:
    return plan_poster(picture, weights)


def test_the_same_recipe_differs_in_nothing(plan: PosterPlan) -> None:
    assert differences(recipe_of(plan), recipe_of(plan)) == []


def test_each_field_that_differs_is_named(plan: PosterPlan, picture: Path, weights: Path) -> None:
    other = plan_poster(
        picture,
        weights,
        "dream.steps=5",
        "objectives.0.weight=2",
        "objectives.1={layer: features.3}",
        "size=50xauto",
        "fit=crop",
    )
    found = fields(differences(recipe_of(plan), recipe_of(other)))
    assert found["dream.steps"] == (2, 5)
    assert found["objectives.0.weight"] == (1, 2)
    assert found["objectives.1.layer"] == (None, "features.3")
    assert found["size"] == ("x1", "50 x auto")
    assert found["fit"] == (None, "crop")
    assert found["plan.size"] == ([68, 100], [34, 50])
    assert not {"dream.jitter", "input.picture", "network.weights"} & found.keys()


def test_other_files_differ_by_their_digests(plan: PosterPlan, guide: Path, weights: Path) -> None:
    other = plan_poster(guide, weights)
    found = differences(recipe_of(plan), recipe_of(other))
    (one,) = (one for one in found if one.field == "input.picture")
    assert (one.first, one.second) == (plan.source.digest, other.source.digest)
    assert [len(text) for text in one.texts()] == [len("sha256:") + 12] * 2


def test_versions_and_software_are_compared_where_both_are_known(plan: PosterPlan) -> None:
    label = recipe_of(plan)
    record = {
        "identity": {**label.spec, "pixel_version": 1},
        "spec": {"name": "sky"},
        "software": {"torch": "2.0", "numpy": "2"},
        "device": "cpu",
    }
    first = recipe_of_record(record, "manifest.json")
    second = recipe_of_record({**record, "software": {"torch": "2.1", "numpy": "2"}}, "other.json")
    assert fields(differences(first, second)) == {"software.torch": ("2.0", "2.1")}
    assert fields(differences(first, label)) == {"pixel_version": (1, label.pixel_version)}


def test_an_absent_field_is_a_dash_and_a_long_value_is_cut(plan: PosterPlan) -> None:
    assert Difference("fit", None, "crop", False, True).texts() == ("-", "crop")
    assert Difference("keep", None, "colours", True, True).texts() == ("null", "colours")
    cut = Difference("channels", [*range(99)], True, True, True).texts()[0]
    assert (len(cut), cut[-1]) == (60, "…")


def test_the_picture_before_a_redo_is_one_value_beside_one_that_is_no_redo() -> None:
    before = {"dream": {"seed": 1, "steps": 2}}
    plain = made_by({"dream": {"seed": 1}})
    redo = made_by({"dream": {"seed": 2}, "redo": {"parent": "sky-1", "before": before}})
    assert fields(differences(plain, redo)) == {
        "dream.seed": (1, 2),
        "redo.parent": (None, "sky-1"),
        "redo.before": (None, before),
    }
    other = made_by(
        {
            "dream": {"seed": 2},
            "redo": {"parent": "sky-1", "before": {"dream": {"seed": 1, "steps": 3}}},
        }
    )
    assert fields(differences(redo, other)) == {"redo.before.dream.steps": (2, 3)}
