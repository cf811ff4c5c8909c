"""ONNX exports of torchvision's networks are those networks, with the same exact tiles."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from render.dream.objective import Mix, Objective
from render.networks.builtin import LOGITS
from render.networks.graph import trace
from render.networks.network import prepare_network
from render.networks.onnx_network import OnnxNetwork, load_onnx
from render.networks.receptive_field import ReceptiveField, layer_table, receptive_fields
from tests.support.exact_tiles import JITTER, check_exact, check_tiles
from tests.support.onnx_files import exported
from tests.support.tiled_step import mean_step

SAME_LAYERS = {
    "squeezenet1_1": ("features.7", "/features/features.7/Concat"),
    "mobilenet_v2": ("features.4", "/features/features.4/conv/conv.2/Conv"),
    "googlenet": ("inception4c", "/inception4c/Concat"),
    "resnet50": ("layer2", "/layer2/layer2.3/relu_2/Relu"),
    "densenet121": ("features.transition1", "/features/transition1/pool/AveragePool"),
    "convnext_tiny": ("features.2", "/features/features.2/features.2.1/Conv"),
    "shufflenet_v2_x0_5": ("stage2", "/stage2/stage2.3/Reshape_1"),
}
"""A layer of each network, by torchvision's name and by the exporter's."""

WIDEST = {
    "squeezenet1_1": 120,
    "mobilenet_v2": 100,
    "googlenet": 120,
    "resnet50": 130,
    "densenet121": 130,
    "convnext_tiny": 120,
    "shufflenet_v2_x0_5": 120,
}
"""The widest field whose tiles are tested, in pixels, because whole pictures are slow."""

LIGHT = ("squeezenet1_1", "mobilenet_v2")

NETWORKS = [
    name if name in LIGHT else pytest.param(name, marks=pytest.mark.slow) for name in SAME_LAYERS
]

Exported = tuple[nn.Module, OnnxNetwork]


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Exported]:
    """Return torchvision's network of a name, and the one that its ONNX file gives."""
    made: dict[str, tuple[nn.Module, Path]] = {}

    def load_once(name: str) -> Exported:
        if name not in made:
            made[name] = exported(name, tmp_path_factory.mktemp("onnx"))
        model, path = made[name]
        return model, load_onnx(path)

    return load_once


def deepest(table: dict[str, ReceptiveField]) -> ReceptiveField:
    return [field for field in table.values() if not field.reason][-1]


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("size", [(64, 64), (96, 80)])
def test_scores_are_those_of_torchvision(
    load: Callable[[str], Exported], name: str, size: tuple[int, int]
) -> None:
    """Also at another size than the file's."""
    model, network = load(name)
    torch.manual_seed(1)
    pictures = torch.randn(2, 3, *size, dtype=torch.float64)
    with torch.no_grad():
        wanted, found = model(pictures), network(pictures)
    assert network.class_count == 1000
    assert (found - wanted).norm() <= 1e-9 * wanted.norm()


@pytest.mark.parametrize("name", NETWORKS)
def test_layers_are_those_of_torchvision(load: Callable[[str], Exported], name: str) -> None:
    model, network = load(name)
    theirs, ours = SAME_LAYERS[name]
    pictures = torch.randn(1, 3, 70, 90, dtype=torch.float64)
    with torch.no_grad():
        wanted = prepare_network(model, (theirs,), torch.float64).activations(pictures)[theirs]
        found = prepare_network(network, (ours,), torch.float64).activations(pictures)[ours]
    assert (found - wanted).norm() <= 1e-9 * wanted.norm()


@pytest.mark.parametrize("name", NETWORKS)
def test_receptive_fields_are_those_of_torchvision(
    load: Callable[[str], Exported], name: str
) -> None:
    _, network = load(name)
    found, wanted = deepest(receptive_fields(trace(network))), deepest(layer_table(name))
    assert (found.stride, found.field, found.start) == (wanted.stride, wanted.field, wanted.start)


@pytest.mark.parametrize("name", NETWORKS)
def test_tiles_equal_the_whole(load: Callable[[str], Exported], name: str) -> None:
    _, network = load(name)
    table = receptive_fields(trace(network))
    fitting = [
        layer for layer, seen in table.items() if not seen.reason and seen.field <= WIDEST[name]
    ]
    check_exact(network, name, fitting[-1])


def test_tiles_equal_the_whole_for_a_class(load: Callable[[str], Exported]) -> None:
    _, network = load("squeezenet1_1")
    step = mean_step(network, (LOGITS,), JITTER, name="squeezenet1_1")
    check_tiles(type(step)(step.network, step.sampling_grid, Mix((Objective(classes=(3,)),))))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "deepest_exact"),
    [
        ("efficientnet_b0", "/features/features.1/features.1.0/block/block.0/block.0.2/Mul"),
        ("mobilenet_v3_small", "/features/features.1/block/block.0/block.0.2/Relu"),
        ("regnet_y_400mf", "/trunk_output/block1/block1-0/f/b/b.2/Relu"),
    ],
)
def test_layers_behind_a_global_operation_have_a_reason(
    load: Callable[[str], Exported], name: str, deepest_exact: str
) -> None:
    _, network = load(name)
    table = receptive_fields(trace(network))
    assert [layer for layer, field in table.items() if not field.reason][-1] == deepest_exact
    reasons = {field.reason for field in table.values() if field.reason}
    assert all(reason.endswith("averages over the whole picture") for reason in reasons)
