"""`dreamfarm networks` and `layers`: weights, classes, and exact layers."""

import json
from pathlib import Path

import pytest

from render.networks.pareidolia import CLASS_COUNT
from tests.support.shell import Shell


def test_networks_are_listed_with_their_weights(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    kept = tmp_path / "hub" / "checkpoints" / "squeezenet1_1-b8a52dc0.pth"
    kept.parent.mkdir(parents=True)
    kept.touch()
    rows = {row.pop("network"): row for row in json.loads(shell("networks", "--json").out)}
    table = shell("networks").out

    assert next(iter(rows)) == "pareidolia"
    assert rows["pareidolia"] == {"weights": "shipped", "licence": "MIT", "classes": CLASS_COUNT}
    assert rows["squeezenet1_1"] == {"weights": "downloaded", "licence": "", "classes": 1000}
    assert rows["vgg16"] == {"weights": "elsewhere", "licence": "", "classes": 1000}
    assert all(name in table for name in rows)
    assert "built in" in table
    assert "pretrained: downloaded" in table


def test_networks_are_listed_with_their_last_exact_layer(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["squeezenet1_1", "efficientnet_b0"]
    monkeypatch.setattr("render.networks.catalogue.network_names", lambda: names)
    whole = json.loads(shell("networks", "--all", "--json").out)
    ended = shell("networks", "--all")

    assert [row["network"] for row in whole] == names
    assert whole[0]["classes"]
    assert whole[0]["halo"] == whole[0]["field"] - 1
    assert not whole[0]["reason"]
    assert not whole[1]["classes"]
    assert whole[1]["reason"].endswith("averages over the whole picture")
    assert whole[1]["layer"] in ended.out
    assert ended.err == ""


def test_classes_are_listed(shell: Shell) -> None:
    names = json.loads(shell("layers", "pareidolia", "--classes", "--json").out)
    table = shell("layers", "pareidolia", "--classes").out

    assert len(names) == CLASS_COUNT
    assert all(name in table for name in names)
