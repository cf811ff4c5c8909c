"""Profiles of networks are right, cached, and refuse mistakes in one line."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from render.dream.objective import Mix, Objective
from render.engine.network_profile import check_weights, list_layers, profile_network
from render.errors import LayerError, WeightsError

NAME = "squeezenet1_0"
MIX = Objective("features.3") + Objective("features.6") * -1


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_mix_has_the_widest_field_and_a_cost() -> None:
    both, one = (
        profile_network(NAME, MIX, "float32"),
        profile_network(NAME, Mix((Objective("features.3"),)), "float32"),
    )
    assert (both.stride, both.field) == (8, 43)
    assert (one.stride, one.field) == (4, 19)
    assert both.cost.flops_per_pixel > one.cost.flops_per_pixel > 0
    assert both.cost.bytes(512**2) > one.cost.bytes(512**2)


def test_wider_numbers_cost_more_memory() -> None:
    single, double = (
        profile_network(NAME, MIX, "float32").cost,
        profile_network(NAME, MIX, "float64").cost,
    )
    assert double.weights == 2 * single.weights
    assert double.bytes(512**2) > 1.7 * single.bytes(512**2)
    assert double.flops_per_pixel == single.flops_per_pixel


def test_profiles_are_cached_and_damaged_entries_measured_again(cache: Path) -> None:
    found = profile_network(NAME, MIX, "float32")
    (entry,) = (cache / "dreamfarm").glob("profile-*.json")
    remembered = json.loads(entry.read_text())
    entry.write_text(json.dumps(remembered | {"field": 99}))
    assert profile_network(NAME, MIX, "float32").field == 99
    entry.write_text("{")
    assert profile_network(NAME, MIX, "float32") == found
    assert json.loads(entry.read_text()) == remembered


def test_a_cache_that_cannot_be_written_is_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    assert profile_network(NAME, MIX, "float32").field == 43


@pytest.mark.parametrize(
    ("objective", "message"),
    [
        (Objective("features.99"), rf"layer features\.99 of {NAME}: no such layer; nearest: "),
        (
            Objective("features.3", channels=(5, 128)),
            r"channel 128 of layer features\.3 of .* it has 128, from 0 to 127",
        ),
        (
            Objective("classifier.3"),
            r"no exact tiles, because classifier\.3 averages .* the deepest that has is ",
        ),
    ],
)
def test_bad_objectives_are_refused_in_one_line(objective: Objective, message: str) -> None:
    with pytest.raises(LayerError, match=message) as refused:
        profile_network(NAME, Mix((objective,)), "float32")
    assert "\n" not in str(refused.value)


def test_a_cached_profile_still_refuses_a_channel() -> None:
    profile_network(NAME, Mix((Objective("features.3", channels=(5,)),)), "float32")
    with pytest.raises(LayerError, match="channel 200"):
        profile_network(NAME, Mix((Objective("features.3", channels=(200,)),)), "float32")


def test_the_last_channel_exists() -> None:
    assert (
        profile_network(NAME, Mix((Objective("features.3", channels=(0, 127)),)), "float32").field
        == 19
    )


def test_layers_are_listed_with_their_halo() -> None:
    listed = {layer["name"]: layer for layer in list_layers(NAME)}
    assert listed["features.9.cat"] == {
        "name": "features.9.cat",
        "channels": 384,
        "stride": 8,
        "field": 91,
        "halo": 90,
        "reason": "",
        "start": -36,
    }
    assert listed["classifier.3"]["reason"]
    assert listed["classifier.3"]["halo"] == 0


def test_weights_that_fit_are_cached_and_others_are_not(
    tmp_path: Path, seeded_squeezenet: Path, cache: Path
) -> None:
    check_weights(NAME, seeded_squeezenet, "one digest")
    check_weights(NAME, tmp_path / "gone", "one digest")
    save_file({"features.0.bias": torch.zeros(3)}, tmp_path / "bad.safetensors")
    for _ in range(2):
        with pytest.raises(WeightsError, match="do not fit"):
            check_weights(NAME, tmp_path / "bad.safetensors", "another digest")
