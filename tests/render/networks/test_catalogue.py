"""Every listed network can be built without weights."""

import pytest

from render.networks.catalogue import build_network, network_names


@pytest.mark.parametrize("name", ["pareidolia", "regnet_x_400mf", "swin_v2_t", "mnasnet0_5"])
def test_networks_are_built_without_weights(name: str) -> None:
    network = build_network(name)
    assert not network.training
    assert all(parameter.is_meta for parameter in network.parameters())


def test_only_classifiers_are_listed() -> None:
    names = network_names()
    assert len(names) == len(set(names)) > 70
    assert not any("rcnn" in name or "fcn" in name or "quantized" in name for name in names)
