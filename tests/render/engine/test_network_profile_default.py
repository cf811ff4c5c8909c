"""The default objective of a network is a layer with exact tiles."""

import pytest

from render.engine.network_profile import default_objective, list_layers
from render.errors import NetworkError


@pytest.mark.parametrize("network", ["squeezenet1_1", "alexnet", "mobilenet_v3_small", "resnet18"])
def test_a_default_has_exact_tiles(network: str) -> None:
    chosen = default_objective(network).layer
    seen = [
        layer
        for layer in list_layers(network)
        if layer["name"] == chosen or layer["name"].startswith(f"{chosen}.")
    ]

    assert seen
    assert not seen[-1]["reason"]
    assert seen[-1]["field"] <= 250


def test_an_unknown_network_has_none() -> None:
    with pytest.raises(NetworkError, match="network alexnot: no such network; nearest: alexnet"):
        default_objective("alexnot")
