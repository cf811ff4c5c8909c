"""Where weights are: as given, in the download's folder, or with the network."""

from pathlib import Path

import pytest

from render.errors import WeightsError
from render.networks.builtin import BUILTIN_NETWORKS, PAREIDOLIA
from render.networks.weight_paths import resolve_weights


def test_a_file_is_taken_as_it_is_given(tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    with pytest.raises(WeightsError, match=f"weights {path}: no such file; check the path"):
        resolve_weights("vgg16", str(path))
    with pytest.raises(WeightsError, match="no such file"):
        resolve_weights("vgg16", str(tmp_path))
    path.touch()

    assert resolve_weights("vgg16", str(path)) == path
    assert resolve_weights(PAREIDOLIA, str(path)) == path


@pytest.mark.parametrize("weights", [None, "pretrained"])
@pytest.mark.parametrize("network", BUILTIN_NETWORKS)
def test_our_own_networks_bring_their_own(network: str, weights: str | None) -> None:
    found = resolve_weights(network, weights)
    assert found.name == f"{network}.safetensors"
    assert found.is_file()


def test_another_needs_to_be_told() -> None:
    with pytest.raises(WeightsError, match="network vgg16: no weights named; give weights: "):
        resolve_weights("vgg16", None)


@pytest.mark.usefixtures("no_network")
def test_what_was_downloaded_before_needs_no_network(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(WeightsError, match=r"could not be downloaded .*; name a local"):
        resolve_weights("squeezenet1_1", "pretrained")
    kept = tmp_path / "hub" / "checkpoints" / "squeezenet1_1-b8a52dc0.pth"
    assert list(kept.parent.iterdir()) == []
    kept.touch()

    assert resolve_weights("squeezenet1_1", "pretrained") == kept
