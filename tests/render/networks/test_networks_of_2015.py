"""The networks of 2015: published shapes, input conventions, and the sums of their originals."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from render.errors import LayerError
from render.networks import normalisation
from render.networks.builtin import LOGITS, NETWORKS_OF_2015
from render.networks.caffe_layers import LocalResponseNorm, layer_parameters
from render.networks.catalogue import build_network
from render.networks.graph import trace
from render.networks.network import prepare_network
from render.networks.normalisation import CONVENTIONS, InputConversion
from render.networks.receptive_field import layer_table
from render.pictures.colour import MEAN, STD
from tests.support.weight_files import filled

GOOGLENET = {
    "conv1/7x7_s2": (64, 112),
    "pool1/3x3_s2": (64, 56),
    "pool1/norm1": (64, 56),
    "conv2/3x3_reduce": (64, 56),
    "conv2/3x3": (192, 56),
    "conv2/norm2": (192, 56),
    "pool2/3x3_s2": (192, 28),
    "inception_3a/output": (256, 28),
    "inception_3b/output": (480, 28),
    "pool3/3x3_s2": (480, 14),
    "inception_4a/output": (512, 14),
    "inception_4b/output": (512, 14),
    "inception_4c/output": (512, 14),
    "inception_4d/output": (528, 14),
    "inception_4e/output": (832, 14),
    "pool4/3x3_s2": (832, 7),
    "inception_5a/output": (832, 7),
    "inception_5b/output": (1024, 7),
    "inception_5b/5x5_reduce": (48, 7),
}
"""Channels and side at 224 pixels: table 1 of the paper, and Caffe's log of the deploy net."""

INCEPTION5H = {
    "conv2d0": (64, 112),
    "maxpool0": (64, 56),
    "localresponsenorm0": (64, 56),
    "conv2d1": (64, 56),
    "conv2d2": (192, 56),
    "maxpool1": (192, 28),
    "mixed3a": (256, 28),
    "mixed3b": (480, 28),
    "maxpool4": (480, 14),
    "mixed4a": (508, 14),
    "mixed4b": (512, 14),
    "mixed4c": (512, 14),
    "mixed4d": (528, 14),
    "mixed4e": (832, 14),
    "maxpool10": (832, 7),
    "mixed5a": (832, 7),
    "mixed5b": (1024, 7),
    "mixed4d_3x3_bottleneck": (144, 14),
    "mixed5a_5x5_bottleneck": (48, 7),
}
"""The same of TensorFlow's graph, as the DeepDream notebook of TensorFlow printed it."""

CAFFENET = {
    "conv1": (96, 55),
    "pool1": (96, 27),
    "norm1": (96, 27),
    "conv2": (256, 27),
    "pool2": (256, 13),
    "conv3": (384, 13),
    "conv4": (384, 13),
    "conv5": (256, 13),
    "pool5": (256, 6),
}
"""At 227 pixels: Caffe's example "classification"."""

LENET = {"conv1": (20, 24), "pool1": (20, 12), "conv2": (50, 8), "pool2": (50, 4)}

SHAPES = [
    ("bvlc_googlenet", 224, GOOGLENET),
    ("googlenet_places205", 224, GOOGLENET),
    ("inception5h", 224, INCEPTION5H),
    ("caffenet", 227, CAFFENET),
    ("caffe_lenet", 28, LENET),
]


@pytest.mark.parametrize(("name", "side", "shapes"), SHAPES)
def test_layers_have_their_published_shapes(
    name: str, side: int, shapes: dict[str, tuple[int, int]]
) -> None:
    network = prepare_network(build_network(name), tuple(shapes), device=torch.device("meta"))
    seen = network.activations(torch.empty(1, 3, side, side, device="meta"))
    assert {layer: (one.shape[1], one.shape[2]) for layer, one in seen.items()} == shapes


PARAMETERS = {
    "bvlc_googlenet": {
        "conv1/7x7_s2": (64, 3, 7, 7),
        "conv2/3x3_reduce": (64, 64, 1, 1),
        "conv2/3x3": (192, 64, 3, 3),
        "inception_3a/1x1": (64, 192, 1, 1),
        "inception_3a/5x5": (32, 16, 5, 5),
        "inception_4a/3x3": (208, 96, 3, 3),
        "inception_4c/5x5_reduce": (24, 512, 1, 1),
        "inception_5a/5x5_reduce": (32, 832, 1, 1),
        "inception_5b/pool_proj": (128, 832, 1, 1),
        "loss3/classifier": (1000, 1024),
    },
    "inception5h": {
        "conv2d0": (64, 3, 7, 7),
        "mixed3a_5x5": (32, 16, 5, 5),
        "mixed4a_3x3": (204, 96, 3, 3),
        "mixed4b_1x1": (160, 508, 1, 1),
        "mixed5a_5x5_bottleneck": (48, 832, 1, 1),
        "mixed5b_pool_reduce": (128, 832, 1, 1),
        "softmax2": (1008, 1024),
    },
    "caffenet": {
        "conv1": (96, 3, 11, 11),
        "conv2": (256, 48, 5, 5),
        "conv4": (384, 192, 3, 3),
        "fc6": (4096, 9216),
        "fc8": (1000, 4096),
    },
    "caffe_lenet": {
        "conv1": (20, 1, 5, 5),
        "conv2": (50, 20, 5, 5),
        "ip1": (500, 800),
        "ip2": (10, 500),
    },
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_weights_have_their_published_shapes(name: str) -> None:
    model = build_network(name)
    state = model.state_dict()
    found = {
        layer: tuple(state[own].shape)
        for own, layer, kind in layer_parameters(model)
        if kind == "weight"
    }
    assert {layer: found[layer] for layer in PARAMETERS[name]} == PARAMETERS[name]


def test_sizes_are_those_of_the_published_files() -> None:
    """bvlc_googlenet.caffemodel has 6,998,552 values in its main branch; CaffeNet 60,965,224."""
    counts = {
        name: sum(one.numel() for one in build_network(name).parameters())
        for name in ("bvlc_googlenet", "caffenet", "caffe_lenet")
    }
    assert counts == {"bvlc_googlenet": 6998552, "caffenet": 60965224, "caffe_lenet": 431080}


@pytest.mark.parametrize("name", NETWORKS_OF_2015)
def test_the_number_of_classes_is_the_networks(name: str) -> None:
    traced = prepare_network(build_network(name), (LOGITS,), device=torch.device("meta"))
    seen = traced.activations(torch.empty(1, 3, 256, 256, device="meta"))
    assert seen[LOGITS].shape[1] == NETWORKS_OF_2015[name]


def test_similar_layers_are_named() -> None:
    with pytest.raises(LayerError, match=r"nearest: .*inception_4c/output"):
        trace(build_network("bvlc_googlenet")).node("inception_4c_output", "bvlc_googlenet")
    with pytest.raises(LayerError, match=r"nearest: .*mixed4c"):
        trace(build_network("inception5h")).node("mixed_4c", "inception5h")


@pytest.mark.parametrize("size", [3, 5, 9])
def test_response_norms_are_torchs(size: int) -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 12, 5, 7, dtype=torch.float64) * 30
    x.requires_grad_()
    ours = LocalResponseNorm(size, 0.3, 0.75, 2.0)(x)
    torchs = nn.LocalResponseNorm(size, 0.3, 0.75, 2.0)(x)
    torch.testing.assert_close(ours, torchs, rtol=1e-12, atol=0)
    (grad,), (wanted,) = (torch.autograd.grad(one.square().sum(), x) for one in (ours, torchs))
    torch.testing.assert_close(grad, wanted, rtol=1e-10, atol=1e-12)


def test_sums_are_those_of_caffe() -> None:
    """The first layers of bvlc_googlenet, written out with torch's functions."""
    model = filled(build_network("bvlc_googlenet")).double()
    layers = ("conv2/norm2", "pool2/3x3_s2", "inception_3a/pool_proj")
    network = prepare_network(model, layers, torch.float64)
    levels = torch.rand(1, 3, 61, 75, dtype=torch.float64) * 255
    seen = network.activations(normalised(levels))

    state = model.state_dict()

    def convolved(x: torch.Tensor, name: str, stride: int = 1, pad: int = 0) -> torch.Tensor:
        weight, bias = state[f"{name}.conv.weight"], state[f"{name}.conv.bias"]
        return functional.conv2d(x, weight, bias, stride, pad).relu()

    mean = torch.tensor([104.0, 117.0, 123.0], dtype=torch.float64)[:, None, None]
    x = convolved(levels[:, [2, 1, 0]] - mean, "conv1/7x7_s2", 2, 3)
    x = functional.max_pool2d(x, 3, 2, ceil_mode=True)
    x = functional.local_response_norm(x, 5, 1e-4, 0.75)
    x = convolved(convolved(x, "conv2/3x3_reduce"), "conv2/3x3", pad=1)
    x = functional.local_response_norm(x, 5, 1e-4, 0.75)
    torch.testing.assert_close(seen["conv2/norm2"], x, rtol=1e-9, atol=1e-9)
    x = functional.max_pool2d(x, 3, 2, ceil_mode=True)
    torch.testing.assert_close(seen["pool2/3x3_s2"], x, rtol=1e-9, atol=1e-9)
    x = convolved(functional.max_pool2d(x, 3, 1, 1), "inception_3a/pool_proj")
    torch.testing.assert_close(seen["inception_3a/pool_proj"], x, rtol=1e-9, atol=1e-9)


def test_sums_are_those_of_tensorflow() -> None:
    """The first layers of inception5h on an even picture, padded as `SAME` is."""
    model = filled(build_network("inception5h")).double()
    network = prepare_network(model, ("localresponsenorm0",), torch.float64)
    levels = torch.rand(1, 3, 64, 96, dtype=torch.float64) * 255
    seen = network.activations(normalised(levels))["localresponsenorm0"]

    x = functional.pad(levels - 117, (2, 3, 2, 3))
    state = model.state_dict()
    x = functional.conv2d(x, state["conv2d0.conv.weight"], state["conv2d0.conv.bias"], 2).relu()
    x = functional.max_pool2d(functional.pad(x, (0, 1, 0, 1), value=-torch.inf), 3, 2)
    squares = functional.pad(x * x, (0, 0, 0, 0, 5, 5)).unfold(1, 11, 1).sum(-1)
    wanted = x / (2 + 1e-4 * squares) ** 0.5
    torch.testing.assert_close(seen, wanted, rtol=1e-9, atol=1e-9)


def normalised(levels: torch.Tensor) -> torch.Tensor:
    """Levels from 0 to 255 (N, 3, H, W) in torchvision's normalisation."""
    mean, std = (torch.tensor(one, dtype=levels.dtype)[:, None, None] for one in (MEAN, STD))
    return (levels / 255 - mean) / std


EXPECTED = {
    "caffe": [30 - 104.0, 20 - 117.0, 10 - 123.0],
    "notebook_2015": [30 - 104.0, 20 - 116.0, 10 - 122.0],
    "caffe_vgg": [30 - 103.939, 20 - 116.779, 10 - 123.68],
    "caffe_lenet": [(0.299 * 10 + 0.587 * 20 + 0.114 * 30) / 256],
    "inception5h": [10 - 117.0, 20 - 117.0, 30 - 117.0],
    "grey": [(0.299 * 10 + 0.587 * 20 + 0.114 * 30) / 255],
    "unit": [10 / 255, 20 / 255, 30 / 255],
    "symmetric": [10 / 127.5 - 1, 20 / 127.5 - 1, 30 / 127.5 - 1],
    "levels": [10.0, 20.0, 30.0],
}


def test_pictures_and_networks_have_one_normalisation() -> None:
    assert (normalisation.MEAN, normalisation.STD) == (MEAN, STD)


@pytest.mark.parametrize("name", CONVENTIONS)
def test_conventions_convert_levels(name: str) -> None:
    levels = torch.tensor([10.0, 20.0, 30.0], dtype=torch.float64)[None, :, None, None]
    found = InputConversion(CONVENTIONS[name])(normalised(levels)).flatten()
    wanted = torch.tensor(EXPECTED[name], dtype=torch.float64)
    torch.testing.assert_close(found, wanted, rtol=1e-9, atol=1e-9)
    narrow = InputConversion(CONVENTIONS[name])(normalised(levels).bfloat16())
    assert narrow.dtype == torch.bfloat16


class Functional(nn.Module):
    """A network of the operations that used to have no finite halo."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3)
        self.norm = nn.LocalResponseNorm(3)
        self.frame = nn.ZeroPad2d((1, 2, 1, 2))
        self.inner = nn.BatchNorm2d(8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.norm(self.first(functional.pad(x, (2, 3, 2, 3))))
        x = functional.batch_norm(x, self.inner.running_mean, self.inner.running_var)
        x = functional.local_response_norm(functional.max_pool2d(self.frame(x), 3, 2), 3)
        return functional.pad(x, (1, 1, 1, 1), "constant", 0.5)


def test_functional_padding_and_norms_are_local() -> None:
    from render.networks.receptive_field import receptive_fields

    fields = receptive_fields(trace(Functional()))
    assert not any(one.reason for one in fields.values()), fields
    assert (fields["pad_1"].stride, fields["pad_1"].field) == (2, 5)


@pytest.mark.parametrize("mode", ["circular", "reflect"])
def test_padding_with_pixels_from_elsewhere_is_not_local(mode: str) -> None:
    from render.networks.receptive_field import receptive_fields

    class Padded(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return functional.pad(x, (1, 1, 1, 1), mode)

    assert "pads by more" in receptive_fields(trace(Padded()))["pad"].reason


def test_fields_are_those_of_googlenet() -> None:
    fields = layer_table("bvlc_googlenet")
    seen = {name.removesuffix("/output.cat"): fields[name].field for name in fields}
    assert [seen[f"inception_{block}"] for block in ("3a", "3b", "4a", "4c")] == [59, 91, 171, 299]
