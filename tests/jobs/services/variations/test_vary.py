"""The variations of a spec."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from jobs.services.variations.vary import MOST_VARIATIONS, parse_vary, variations_of
from jobs.text.errors import RequestError

PICTURE = {"kind": "poster", "input": {"path": "/photos/sky.jpg"}}


@pytest.fixture(autouse=True)
def downloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """torch's cache of downloads, which is empty."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize(
    ("text", "field", "values"),
    [
        ("dream.seed=1..3", "dream.seed", (1, 2, 3)),
        ("dream.seed = 5..5", "dream.seed", (5,)),
        ("look=eyes, garden", "look", ("eyes", "garden")),
        ("dream.step_size=0.01,1e-2", "dream.step_size", (0.01, 0.01)),
        ("input.colour=#204060,red", "input.colour", ("#204060", "red")),
        ("outputs=[[png],[tiff, jpeg]]", "outputs", (["png"], ["tiff", "jpeg"])),
        ("dream.smooth=null,{gaussian: [1]}", "dream.smooth", (None, {"gaussian": [1]})),
    ],
)
def test_values_are_a_range_a_list_or_separated_by_commas(
    text: str, field: str, values: tuple[Any, ...]
) -> None:
    assert parse_vary(text) == (field, values)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("dream.seed", "write FIELD=VALUES"),
        ("=1,2", "write FIELD=VALUES"),
        ("dream..seed=1", "write FIELD=VALUES"),
        ("dream.seed=8..1", r"the range is empty; write 1\.\.8"),
        ("dream.seed=", "has no values"),
        ("dream.seed=,", "has no values"),
        ("outputs=[[png]", "line 1, column "),
        ("dream.seed=1..1000", f"1000 variations, and a sheet has at most {MOST_VARIATIONS}"),
    ],
)
def test_wrong_values_are_refused(text: str, line: str) -> None:
    with pytest.raises(RequestError, match=line):
        parse_vary(text)


def test_all_combinations_are_made_and_the_last_field_changes_fastest() -> None:
    found = variations_of(PICTURE, {"look": ["faces", "garden"], "dream.seed": [1, 2]})
    assert [one.caption for one in found] == [
        *("faces, seed 1", "faces, seed 2", "garden, seed 1", "garden, seed 2")
    ]
    last = found[-1].document
    assert last["dream"]["seed"] == 2
    assert last["dream"]["step_size"] == 0.07
    assert last["objectives"][0]["channels"] == [9, 11, 12, 62]
    assert PICTURE == {"kind": "poster", "input": {"path": "/photos/sky.jpg"}}


def test_captions_tell_fields_with_the_same_end_apart() -> None:
    varied = {"objectives.0.weight": [1, 2], "objectives.1.weight": [3]}
    spec = {**PICTURE, "objectives": [{"layer": "a"}, {"layer": "b"}]}
    assert [one.caption for one in variations_of(spec, varied)] == [
        "objectives.0.weight 1, objectives.1.weight 3",
        "objectives.0.weight 2, objectives.1.weight 3",
    ]


def test_too_many_combinations_are_counted() -> None:
    varied = {"dream.seed": range(20), "dream.steps": range(1, 21)}
    with pytest.raises(RequestError, match="400 variations, and a sheet has at most 100"):
        variations_of(PICTURE, varied)


def test_an_unknown_look_is_named() -> None:
    with pytest.raises(RequestError, match="look gardn: no such look; nearest: garden"):
        variations_of(PICTURE, {"look": ["gardn"]})


def test_without_fields_all_looks_that_can_be_rendered_have_three_strengths(
    downloads: Path,
) -> None:
    found = variations_of(PICTURE, {})
    assert [one.caption for one in found] == [
        *("faces, faint", "faces", "faces, strong", "garden, faint", "garden", "garden, strong")
    ]
    assert [one.document["dream"]["step_size"] for one in found[:3]] == [0.035, 0.07, 0.14]

    (downloads / "squeezenet1_0-b66bff10.pth").touch()
    more = {one.caption: one.document["network"] for one in variations_of(PICTURE, {})}
    assert len(more) == 18
    assert more["eyes"] == {"name": "squeezenet1_0", "weights": "pretrained"}


def test_weights_that_the_user_names_are_for_the_looks_of_their_network(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    save_file({"a": np.zeros(1)}, path, {"architecture": "squeezenet1_0"})
    networks = {
        one.caption: one.document["network"]
        for one in variations_of({**PICTURE, "network": {"weights": str(path)}}, {})
    }
    assert networks["faces"] == {"name": "pareidolia"}
    assert networks["eyes"]["weights"] == str(path)
    assert not {"scrolls", "pagodas"} & networks.keys()

    named = {**PICTURE, "network": {"name": "squeezenet1_0", "weights": "/mine.pth"}}
    looks = {one.caption for one in variations_of(named, {})}
    assert looks >= {"eyes", "fur", "birds, strong"}
    assert not {"faces", "garden"} & looks


@pytest.mark.parametrize(
    "choice", [{"objectives": [{"layer": "x"}]}, {"look": "garden"}, {"network": "lenet5"}]
)
def test_a_spec_that_says_what_to_see_varies_in_strength_and_seed(choice: dict[str, Any]) -> None:
    found = variations_of({**PICTURE, **choice, "dream": {"step_size": 0.02}}, {})
    assert [one.caption for one in found[:4]] == [
        *("seed 0, faint", "seed 0", "seed 0, strong", "seed 1, faint")
    ]
    assert len(found) == 9
    assert [one.document["dream"]["step_size"] for one in found[-2:]] == [0.02, 0.04]
    assert found[-1].document["dream"]["seed"] == 2


def test_a_look_is_not_varied_where_it_would_change_nothing() -> None:
    for choice in ({"look": "garden"}, {"objectives": [{"layer": "x"}]}):
        with pytest.raises(RequestError, match="--vary look: the spec has objectives of its own"):
            variations_of({**PICTURE, **choice}, {"look": ["faces", "garden"]})


def test_a_dataset_has_no_variations() -> None:
    with pytest.raises(RequestError, match="variations: are of one picture"):
        variations_of({"kind": "dataset", "inputs": {"path": "photos"}}, {})
