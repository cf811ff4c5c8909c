"""The deepest exact layer of each network."""

from pathlib import Path

import pytest

from render.errors import NetworkError
from render.networks.catalogue import network_names
from render.networks.exactness import Exactness, network_exactness


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_a_network_with_exact_classes() -> None:
    found = network_exactness("squeezenet1_1")
    assert (found.stride, found.halo) == (16, found.field - 1)
    assert found.has_exact_classes
    assert found.classes_field >= found.field
    assert found.reason == ""
    assert network_exactness("squeezenet1_1") == found


def test_a_network_that_is_exact_up_to_a_global_operation() -> None:
    assert network_exactness("efficientnet_b0") == Exactness(
        layer="features.1.0.block.0.2",
        stride=2,
        field=7,
        has_exact_classes=False,
        classes_field=0,
        reason="features.1.0.block.1.avgpool averages over the whole picture",
    )


def test_an_unknown_network_is_refused() -> None:
    with pytest.raises(NetworkError, match="nearest: vgg19, vgg16"):
        network_exactness("vgg61")


@pytest.mark.slow
@pytest.mark.parametrize("name", network_names())
def test_every_network_is_exact_or_gives_a_reason(name: str) -> None:
    found = network_exactness(name)
    assert found.layer
    assert found.stride >= 1
    assert found.field >= found.stride
    assert found.has_exact_classes == (not found.reason)
    assert (found.classes_field > 0) == found.has_exact_classes
    assert "\n" not in found.reason
    assert "wider than" not in found.reason
