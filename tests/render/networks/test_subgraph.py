"""Prepared networks compute the same as torchvision's."""

from copy import deepcopy

import pytest
import torch
import torchvision
from torch import Tensor, nn

from render.networks.catalogue import build_network
from render.networks.convolution import FixedConv2d
from render.networks.network import Network, prepare_network
from render.networks.subgraph import make_pools_deterministic
from tests.support.seeded_networks import (
    calibrate_norms,
    fill_weights,
    noise_picture,
    relative_error,
    seeded_network,
)
from tests.support.tiny_network import TinyNetwork


def pictures(side: int = 80) -> Tensor:
    return noise_picture((side, side), seed=5).permute(2, 0, 1)[None].requires_grad_()


class CompleteError(Exception):
    """Raised after the last layer, since the rest of the network has no weights."""


def plain_activations(model: nn.Module, layers: tuple[str, ...], x: Tensor) -> list[Tensor]:
    """What the layers' modules give in the network as torchvision made it, in float64.

    Copied on the way, before an in-place operation behind them can change it.
    """
    model = deepcopy(model).double().eval()
    seen: dict[str, Tensor] = {}

    def note(layer: str, output: Tensor) -> None:
        seen[layer] = output.clone()
        if len(seen) == len(layers):
            raise CompleteError

    for layer in layers:
        model.get_submodule(layer).register_forward_hook(
            lambda _, __, output, layer=layer: note(layer, output)
        )
    with pytest.raises(CompleteError):
        model(x)
    return [seen[layer] for layer in layers]


def check_equal(model: nn.Module, layers: tuple[str, ...], network: Network) -> None:
    x = pictures()
    wanted = plain_activations(model, layers, x)
    found = network.activations(x)
    assert tuple(found) == layers
    for position, layer in enumerate(layers):
        assert relative_error(found[layer], wanted[position]) <= 1e-12, layer
        gradients = [
            torch.autograd.grad((seen**2).sum(), x, retain_graph=True)[0]
            for seen in (found[layer], wanted[position])
        ]
        assert relative_error(*gradients) <= 1e-12, layer


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("squeezenet1_0", ("features.0", "features.1", "features.3")),
        ("squeezenet1_0", ("features.3.expand1x1", "features.3.expand3x3_activation")),
        ("alexnet", ("features.3", "features.4", "features.6")),
        ("vgg16_bn", ("features.0", "features.1", "features.2", "features.6")),
        ("resnet18", ("conv1", "bn1", "relu")),
        ("resnet50", ("layer1.0.conv1", "layer1.0.bn1", "layer1.0.relu")),
        ("resnet50", ("layer1.0.bn3", "layer1.0.downsample.1", "layer1.0")),
        ("resnet50", ("layer1.0.conv3", "layer1.1")),
        ("googlenet", ("conv1.conv", "conv1.bn", "inception3a")),
        ("inception_v3", ("Conv2d_1a_3x3.bn", "maxpool1", "Mixed_5b.branch1x1.conv")),
        ("densenet121", ("features.conv0", "features.norm0", "features.denseblock1.denselayer1")),
        ("mobilenet_v2", ("features.0.1", "features.0.2", "features.2")),
        ("mobilenet_v3_small", ("features.0.0", "features.0.1", "features.0.2")),
        ("efficientnet_b0", ("features.0.1", "features.0.2", "features.1.0.block.0.1")),
    ],
)
def test_prepared_networks_equal_plain_ones(name: str, layers: tuple[str, ...]) -> None:
    model = seeded_network(name, layers)
    check_equal(model, layers, prepare_network(deepcopy(model), layers, torch.float64))


def test_a_block_is_its_last_node() -> None:
    model = tiny()
    network = prepare_network(deepcopy(model), ("branches", "branches.cat"), torch.float64)
    block, last = network.activations(pictures()).values()
    assert torch.equal(block, last)


@pytest.mark.parametrize(
    "layers",
    [
        ("third",),
        ("first", "first_norm", "ceil_pool", "third"),
        ("second", "floor_pool", "branches", "second_norm"),
        ("branches.tall", "branches.norm", "branches.average", "third"),
    ],
)
def test_the_tiny_network_equals_itself(layers: tuple[str, ...]) -> None:
    model = tiny()
    check_equal(model, layers, prepare_network(deepcopy(model), layers, torch.float64))


@pytest.mark.parametrize(
    ("name", "layer"),
    [("squeezenet1_0", "features.7"), ("googlenet", "inception3a"), ("inception_v3", "Mixed_6a")],
)
def test_deterministic_pools_equal_torchs(name: str, layer: str) -> None:
    """The pools for CUDA, on the CPU."""
    model = seeded_network(name, (layer,))
    network = prepare_network(deepcopy(model), (layer,), torch.float64)
    make_pools_deterministic(network.module)
    code = network.module.code
    assert "repeatable_" in code
    assert "functional.max_pool2d(" not in code
    called = [node.target for node in network.module.graph.nodes if node.op == "call_module"]
    parts = [network.module.get_submodule(str(target)) for target in called]
    assert not any(isinstance(part, nn.MaxPool2d) for part in parts)
    x = noise_picture((140, 140), seed=5).permute(2, 0, 1)[None].requires_grad_()
    (wanted,) = plain_activations(model, (layer,), x)
    found = network.activations(x)[layer]
    assert relative_error(found, wanted) <= 1e-12
    gradients = [torch.autograd.grad((seen**2).sum(), x)[0] for seen in (found, wanted)]
    assert relative_error(*gradients) <= 1e-12


def test_every_foldable_batch_norm_is_folded() -> None:
    network = prepare_network(seeded_network("resnet50", ("layer2",)), ("layer2",), torch.float64)
    assert not any(isinstance(part, nn.BatchNorm2d) for part in network.module.modules())


def test_a_shared_convolution_keeps_its_batch_norms() -> None:
    """A convolution with two batch norms must not be folded with either."""
    model = Shared().eval()
    fill_weights(model, seed=4)
    calibrate_norms(model, seed=4)
    check_equal(
        model, ("near", "far"), prepare_network(deepcopy(model), ("near", "far"), torch.float64)
    )


class Shared(nn.Module):
    """Uses one convolution twice, each time with another batch norm."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 4, 3)
        self.near = nn.BatchNorm2d(4)
        self.far = nn.BatchNorm2d(4)

    def forward(self, x: Tensor) -> Tensor:
        """Look twice."""
        near = self.near(self.convolution(x))
        return torch.cat([near, self.far(self.convolution(x * 2))], 1)


def test_networks_are_frozen_and_have_no_unused_modules() -> None:
    network = prepare_network(
        seeded_network("vgg16", ("features.4",)), ("features.4",), torch.float32
    )
    assert not any(parameter.requires_grad for parameter in network.module.parameters())
    layers = [part for part in network.module.modules() if isinstance(part, FixedConv2d)]
    assert [tuple(layer.weight.shape) for layer in layers] == [(64, 3, 3, 3), (64, 64, 3, 3)]
    assert not any(isinstance(part, nn.Conv2d) for part in network.module.modules())


def test_two_networks_transform_their_input() -> None:
    for name in ("googlenet", "inception_v3"):
        model = build_network(name)
        assert model.transform_input
        reference = torchvision.models.get_model(name, weights=None, init_weights=False)
        given = [name for name in reference.state_dict() if not name.startswith(("aux", "Aux"))]
        assert list(model.state_dict()) == given


def tiny() -> nn.Module:
    model = TinyNetwork().eval()
    fill_weights(model, seed=2)
    calibrate_norms(model, seed=2)
    return model
