"""Weights settings: a path, torchvision's download, or the built-in file."""

from pathlib import Path

import pytest

from render.errors import WeightsError
from render.networks.builtin import BUILTIN_NETWORKS, PAREIDOLIA
from render.networks.weight_paths import resolve_weights


def test_a_path_is_returned_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    with pytest.raises(WeightsError, match=f"weights {path}: no such file; check the path"):
        resolve_weights("vgg16", str(path))
    with pytest.raises(WeightsError, match="Is a directory"):
        resolve_weights("vgg16", str(tmp_path))
    path.touch()

    assert resolve_weights("vgg16", str(path)) == path
    assert resolve_weights(PAREIDOLIA, str(path)) == path


@pytest.mark.parametrize("weights", [None, "pretrained"])
@pytest.mark.parametrize("network", BUILTIN_NETWORKS)
def test_builtin_networks_have_weights(network: str, weights: str | None) -> None:
    found = resolve_weights(network, weights)
    assert found.name == f"{network}.safetensors"
    assert found.is_file()


def test_other_networks_need_a_setting() -> None:
    with pytest.raises(WeightsError, match="network vgg16: no weights named; give weights: "):
        resolve_weights("vgg16", None)


@pytest.mark.usefixtures("no_network")
def test_downloaded_weights_need_no_connection(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(WeightsError, match=r"could not be downloaded .*; name a local"):
        resolve_weights("squeezenet1_1", "pretrained")
    kept = tmp_path / "hub" / "checkpoints" / "squeezenet1_1-b8a52dc0.pth"
    assert list(kept.parent.iterdir()) == []
    kept.touch()

    assert resolve_weights("squeezenet1_1", "pretrained") == kept
