"""Class scores at every position: their mean equals the network's own scores."""

import pytest
import torch
from torch import Tensor, nn

from render.errors import LayerError
from render.networks.builtin import LOGITS
from render.networks.catalogue import build_network
from render.networks.network import prepare_network
from render.networks.receptive_field import layer_grid
from tests.support.seeded_networks import noise_picture, relative_error, seeded_whole_network

LINEAR = [
    "squeezenet1_1",
    "pareidolia",
    "lenet5",
    "shufflenet_v2_x0_5",
    "mobilenet_v2",
    "mnasnet0_5",
    "resnet18",
    "regnet_x_400mf",
    "densenet121",
    "googlenet",
    "inception_v3",
    "efficientnet_b0",
]
RECTIFIED = ("squeezenet1_1", "pareidolia")  # after their classes, before their average


def pictures(height: int, width: int) -> Tensor:
    return noise_picture((height, width), seed=5).permute(2, 0, 1)[None]


def scores_and_position_mean(model: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """The network's own scores (1, classes), and its classes at every position (1, classes, h, w).

    The model is used up.
    """
    with torch.no_grad():
        own = model(x)
        return own, prepare_network(model, (LOGITS,), torch.float64).activations(x)[LOGITS]


@pytest.mark.parametrize("name", LINEAR)
def test_the_mean_over_positions_is_the_networks_own_score(name: str) -> None:
    own, spread = scores_and_position_mean(seeded_whole_network(name), pictures(128, 192))
    assert spread.shape[2] > 1
    assert spread.shape[3] > spread.shape[2]
    spread = spread.relu() if name in RECTIFIED else spread
    assert relative_error(spread.mean((2, 3)), own) <= 1e-9


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("alexnet", 224),
        pytest.param("vgg11", 224, marks=pytest.mark.slow),
        ("convnext_tiny", 32),
        ("mobilenet_v3_small", 32),
    ],
)
def test_a_single_position_is_the_networks_own_score(name: str, side: int) -> None:
    """Heads that read a grid of features or are nonlinear."""
    own, spread = scores_and_position_mean(seeded_whole_network(name), pictures(side, side))
    assert spread.shape[2:] == (1, 1)
    assert relative_error(spread[:, :, 0, 0], own) <= 1e-9


def test_a_grid_of_features_is_read_at_every_position() -> None:
    """Without padding, the scores at a position equal the network's scores of that crop."""
    model = seeded_whole_network("alexnet")
    for part in model.modules():
        if isinstance(part, nn.Conv2d):
            part.padding = (0, 0)
    field, stride = 355, 32
    x = pictures(field + stride, field + stride)
    corners = [(0, 0), (1, 0), (0, 1), (1, 1)]
    with torch.no_grad():
        own = [
            model(x[:, :, stride * row :, stride * column :][:, :, :field, :field])[0]
            for row, column in corners
        ]
        spread = prepare_network(model, (LOGITS,), torch.float64).activations(x)[LOGITS]
    assert spread.shape == (1, 1000, 2, 2)
    for (row, column), scores in zip(corners, own, strict=True):
        assert relative_error(spread[0, :, row, column], scores) <= 1e-9


@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
def test_auxiliary_heads_are_not_the_head(name: str) -> None:
    own, spread = scores_and_position_mean(
        seeded_whole_network(name, auxiliary=True), pictures(128, 128)
    )
    assert relative_error(spread.mean((2, 3)), own) <= 1e-9


def test_classes_and_a_layer_together() -> None:
    layers = ("features.9", LOGITS, "classifier.1")
    x = pictures(96, 96)
    found = prepare_network(
        seeded_whole_network("squeezenet1_1"), layers, torch.float64
    ).activations(x)
    assert tuple(found) == layers
    assert torch.equal(found[LOGITS], found["classifier.1"])
    for layer in layers:
        alone = prepare_network(
            seeded_whole_network("squeezenet1_1"), (layer,), torch.float64
        ).activations(x)
        assert torch.equal(found[layer], alone[layer])


def test_a_class_with_score_0_has_a_gradient() -> None:
    model = seeded_whole_network("squeezenet1_1")
    classes = model.get_submodule("classifier.1")
    assert isinstance(classes, nn.Conv2d)
    assert classes.bias is not None
    nn.init.constant_(classes.bias, -1e6)
    x = pictures(96, 96).requires_grad_()
    seen = prepare_network(model, (LOGITS, "classifier.2"), torch.float64).activations(x)
    assert float(seen["classifier.2"].detach().max()) == 0
    (gradient,) = torch.autograd.grad(seen[LOGITS][:, 3].sum(), x)
    assert float(gradient.abs().sum()) > 0


def test_batch_norm_is_folded_with_a_head() -> None:
    network = prepare_network(
        build_network("resnet18"), (LOGITS,), torch.float32, torch.device("meta")
    )
    assert not any(isinstance(part, nn.BatchNorm2d) for part in network.module.modules())
    x = torch.zeros(1, 3, 96, 160, device="meta")
    assert network.activations(x)[LOGITS].shape == (1, 1000, 3, 5)


@pytest.mark.parametrize(
    ("name", "stride", "field"),
    [
        ("squeezenet1_1", 16, 207),
        ("alexnet", 32, 355),
        ("vgg16", 32, 404),
        ("resnet18", 32, 435),
    ],
)
def test_classes_have_a_stride_and_a_field(name: str, stride: int, field: int) -> None:
    grid = layer_grid(build_network(name), name, (LOGITS,))
    assert (grid.stride, grid.field, grid.channels) == (stride, field, (1000,))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "efficientnet_b0",
            r"classes of efficientnet_b0: have no exact tiles, because features\.1",
        ),
        ("mobilenet_v3_small", r"averages over the whole picture; name a layer instead: the deep"),
        ("swin_t", r"attends to the whole picture; name a layer instead: the deepest that has is "),
        ("vit_b_16", r"class: the network's head cannot be applied position by position, because"),
    ],
)
def test_classes_without_exact_tiles_give_the_reason(name: str, message: str) -> None:
    with pytest.raises(LayerError, match=message) as refused:
        layer_grid(build_network(name), name, (LOGITS,))
    assert "\n" not in str(refused.value)
