"""Specs like that of an output: the same job again, and its settings for another picture."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

from jobs.planning.poster import PosterPlan
from jobs.services.kinds import kind_of
from jobs.services.recipe.like import same_spec, settings_like
from jobs.services.recipe.recipe import Recipe, recipe_of_identity
from jobs.services.recipe_source import read_recipe
from jobs.services.spec_source import load_spec
from jobs.spec.document import parse_poster_spec
from jobs.spec.kinds import parse_spec
from jobs.text.errors import RequestError
from jobs.text.yaml_json import parse_yaml
from render.pictures.output_format import Labels
from render.pictures.write import write_picture
from render.version import PIXEL_VERSION
from tests.support.small_dataset import dataset_document
from tests.support.small_poster import NETWORK, plan_poster

SETTINGS = ("size=150xauto", "fit=crop", "dream.seed=3", "outputs=[png,{format: tiff, depth: 16}]")


def output_of(plan: PosterPlan, path: Path) -> Path:
    """A file that looks like an output of a plan."""
    samples = np.zeros((8, 8, 3), np.uint8)
    write_picture(path, "png", (8, 8), 8, iter([samples]), Labels(None, plan.label()))
    return path


@pytest.fixture
def here(tmp_path: Path, picture: Path, weights: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a picture and weights under other names."""
    monkeypatch.chdir(tmp_path)
    # The cache that all tests share has the same files.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    shutil.copy(picture, tmp_path / "renamed.png")
    shutil.copy(weights, tmp_path / "mine.safetensors")
    return tmp_path


def changed(recipe: Recipe, **fields: Any) -> dict[str, Any]:
    return {**recipe.spec, "pixel_version": recipe.pixel_version, **fields}


def test_the_spec_of_an_output_is_the_same_job(
    here: Path, picture: Path, weights: Path, mask: Path
) -> None:
    shutil.copy(mask, here / "part.png")
    plan = plan_poster(picture, weights, *SETTINGS, f"objectives.0.mask={mask}")
    found = same_spec(read_recipe(str(output_of(plan, here / "old.png"))))
    assert not found.notes
    assert found.document["input"] == {"path": str(here / "renamed.png")}
    assert found.document["network"]["weights"] == str(here / "mine.safetensors")
    assert found.document["objectives"][0]["mask"] == str(here / "part.png")
    # What has its default is left out.
    assert found.document["dream"] == {
        "octaves": 2,
        "steps": 2,
        "jitter": 6,
        "smooth": None,
        "seed": 3,
    }
    assert not {"crew", "precision", "limits", "priority", "kind"} & found.document.keys()

    again = parse_poster_spec(parse_yaml(found.yaml()))
    (here / "spec.yaml").write_text(found.yaml())
    assert again == load_spec(here / "spec.yaml")
    assert (
        again.model_copy(update={"name": plan.spec.name})
        == plan_poster(
            here / "renamed.png",
            here / "mine.safetensors",
            *SETTINGS,
            f"objectives.0.mask={here / 'part.png'}",
        ).spec
    )


def test_a_file_that_is_not_here_is_left_out_and_named(
    tmp_path: Path, picture: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    plan = plan_poster(picture, weights)
    recipe = read_recipe(str(output_of(plan, tmp_path / "old.png")))
    found = same_spec(recipe)
    assert "input" not in found.document
    assert found.document["network"] == {"name": plan.spec.network.name}
    lines = [plan.weights_digest, str(plan.source.digest)]
    assert [line in note for line, note in zip(lines, found.notes, strict=True)] == [True, True]
    with pytest.raises(RequestError, match=f"weights file .{plan.weights_digest}. is not here"):
        settings_like(recipe, "poster")
    assert settings_like(recipe, "poster", with_weights=False)["network"] == {
        "name": plan.spec.network.name
    }


def test_a_redo_names_the_weights_of_the_older_picture(
    here: Path, picture: Path, weights: Path
) -> None:
    before = {"network": {"name": NETWORK, "weights": str(weights)}, "dream": {"octaves": 2}}
    redo = {"parent": "sky-0123456789ab", "before": before, "region": "20%,10%,15%x20%"}
    plan = plan_poster(picture, weights, f"redo={json.dumps(redo)}")
    recipe = read_recipe(str(output_of(plan, here / "old.png")))
    again = same_spec(recipe).document["redo"]
    assert again["before"]["network"]["weights"] == str(here / "mine.safetensors")
    assert again["region"] == [0.2, 0.1, 0.15, 0.2]
    # What is dreamed again belongs to its picture.
    assert "redo" not in settings_like(recipe, "poster")


def test_noise_needs_no_file(here: Path, weights: Path) -> None:
    plan = plan_poster(None, weights, "input={noise: {seed: 7}}", "size=40x30", "name=fog")
    found = same_spec(read_recipe(str(output_of(plan, here / "old.png"))))
    assert found.document["input"] == {"noise": {"seed": 7}}
    assert found.document["size"] == "40 x 30"


def test_another_picture_gets_all_settings_but_the_input(
    here: Path, picture: Path, weights: Path
) -> None:
    plan = plan_poster(picture, weights, *SETTINGS, "name=wall", "input.page=1")
    old = output_of(plan, here / "old.png")
    other = here / "other.png"
    Image.new("RGB", (60, 50), "teal").save(other)

    spec = load_spec(other, like=old)
    mine, theirs = spec.document(), plan.spec.document()
    assert mine.pop("name") == "other"
    assert mine.pop("input") == {"path": str(other), "noise": None, "colour": None}
    del theirs["input"]
    assert mine["network"].pop("weights") == str(here / "mine.safetensors")
    del theirs["name"], theirs["network"]["weights"]
    assert mine == theirs

    larger = load_spec(other, like=old, size="x2", dream__seed=9).document()
    assert (larger["size"], larger["dream"]["seed"], larger["dream"]["steps"]) == ("x2", 9, 2)


def test_a_folder_of_pictures_gets_the_settings_that_it_can_have(
    here: Path, picture: Path, weights: Path
) -> None:
    plan = plan_poster(picture, weights, *SETTINGS)
    old = output_of(plan, here / "old.png")
    (here / "photos").mkdir()
    spec = load_spec(here / "photos", like=old)
    assert spec.dream == plan.spec.dream
    assert spec.objectives == plan.spec.objectives
    assert spec.network.weights == here / "mine.safetensors"


def test_an_item_of_a_dataset_gives_its_settings(here: Path, weights: Path) -> None:
    spec = {
        "resize": "1024",
        "network": "pareidolia",
        "dream": {"steps": 3, "seed": 11},
        "objectives": [{"layer": "classes.relu"}],
    }
    found = same_spec(recipe_of_identity(spec, "item.jpg"))
    assert found.document == {
        "size": "1024px",
        "objectives": [{"layer": "classes.relu"}],
        "dream": {"steps": 3, "seed": 11},
    }
    fourier = {**{k: v for k, v in spec.items() if k != "dream"}, "fourier": {}, "seed": 1}
    with pytest.raises(RequestError, match=r"item.jpg: was made from noise in the Fourier basis"):
        same_spec(recipe_of_identity(fourier, "item.jpg"))


def test_a_dataset_gives_its_spec_and_its_settings(
    here: Path, picture: Path, weights: Path
) -> None:
    document = dataset_document(here, weights, "resize=64", "dream.seed=4")
    spec = parse_spec(document)
    identity = kind_of(spec).identity(spec).document
    recipe = replace(recipe_of_identity(identity, "set"), folder=here, facts={"name": "set"})
    again = parse_spec(same_spec(recipe).document)
    assert kind_of(again).identity(again).document == identity

    poster = settings_like(recipe, "poster")
    assert poster["dream"]["seed"] == 4
    assert poster["network"]["weights"] == str(here / "mine.safetensors")
    assert not {"resize", "inputs", "output", "sweep", "size"} & poster.keys()

    swept = replace(recipe, spec={**recipe.spec, "sweep": {"dream.seed": [1, 2]}})
    with pytest.raises(RequestError, match="set: has a sweep, so many settings"):
        settings_like(swept, "poster")


def test_an_older_version_is_said(here: Path, picture: Path, weights: Path) -> None:
    recipe = read_recipe(str(output_of(plan_poster(picture, weights), here / "old.png")))
    older = recipe_of_identity(changed(recipe, pixel_version=1), "old.png")
    (note,) = same_spec(older).notes
    assert note.startswith(f"old.png: was made by pixel version 1, and this is {PIXEL_VERSION};")


def test_a_newer_version_is_refused(here: Path, picture: Path, weights: Path) -> None:
    recipe = read_recipe(str(output_of(plan_poster(picture, weights), here / "old.png")))
    with pytest.raises(RequestError, match=r"old.png: was made by pixel version 99.*upgrade"):
        recipe_of_identity(changed(recipe, pixel_version=99), "old.png")
    with pytest.raises(RequestError, match=r"not one of this version .zoom: no such key"):
        same_spec(recipe_of_identity(changed(recipe, zoom=2), "old.png"))


HOSTILE: tuple[dict[str, Any], ...] = (
    {"network": {"name": "x", "weights": "sha256:../../etc"}},
    {"network": {"name": "x", "weights": 7}},
    {"weights": 7},
    {"weights": [{}]},
    {"input": {"picture": "../../etc"}},
    {"redo": {"before": {"network": {"name": []}}}},
)


def broken(fields: dict[str, Any]) -> str:
    """The identity of an output that somebody wrote to break its reader."""
    return json.dumps({"spec": {"kind": "poster", "dream": {}, "network": {"name": "x"}, **fields}})


@pytest.mark.parametrize(
    "label",
    [
        *("", "a bridge", "[]", "{}", '{"spec": []}', '{"spec": {"dream": {}}}', "[" * 100_000),
        json.dumps({"spec": {"dream": {}, "network": "x", "pixel_version": "4"}}),
        json.dumps(
            {"spec": {"dream": {}, "network": "x", "objectives": [{"mask": "/etc/passwd"}]}}
        ),
        json.dumps({"spec": {"kind": "film", "dream": {}, "network": {"name": "x"}}}),
        broken({"network": "x"}),
        *map(broken, HOSTILE),
        f'{{"spec": {{"network": "x", "dream": {"[" * 500}{"]" * 500}}}}}',
    ],
)
def test_what_is_no_spec_is_refused(here: Path, label: str) -> None:
    path = here / "other.png"
    samples = np.zeros((8, 8, 3), np.uint8)
    write_picture(path, "png", (8, 8), 8, iter([samples]), Labels(None, label))
    with pytest.raises(RequestError, match=r"other.png: has no spec in it"):
        same_spec(read_recipe("other.png"))


def test_like_is_for_pictures_and_contradicts_a_look(
    here: Path, picture: Path, weights: Path
) -> None:
    old = output_of(plan_poster(picture, weights), here / "old.png")
    (here / "spec.yaml").write_text(yaml.safe_dump({"input": "renamed.png"}))
    with pytest.raises(RequestError, match="a spec has settings of its own"):
        load_spec(here / "spec.yaml", like=old)
    with pytest.raises(RequestError, match="look and like: both choose the settings"):
        load_spec(here / "renamed.png", like=old, look="garden")
