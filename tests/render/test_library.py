"""The library in one call: any picture and any network in, the exact dream as an array out."""

from copy import deepcopy
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.models import squeezenet1_0

import render
from render.dream.attachments import prepare_objectives
from render.dream.config import Dream
from render.dream.objective import Mix, Objective
from render.dream.reference import dream_reference
from render.errors import (
    DeviceError,
    LayerError,
    NetworkError,
    PictureError,
    RenderError,
    WeightsError,
)
from render.geometry.rect import Size
from render.library import DreamSettings, deepdream, network_layers
from render.networks.network import prepare_network
from render.networks.receptive_field import layer_grid
from render.pictures.colour import MEAN, STD, to_canvas
from tests.support.seeded_networks import fill_weights
from tests.support.tiny_network import random_samples

SIZE = (46, 61)
SETTINGS: DreamSettings = {"octaves": 2, "steps": 2, "jitter": 5, "seed": 3}


class Small(nn.Module):
    """A stranger's network: two convolutions, a pool, and a linear head."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 6, 5, padding=2)
        self.pool = nn.MaxPool2d(2)
        self.second = nn.Conv2d(6, 8, 3)
        self.average = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) to scores (N, 4)."""
        x = torch.relu(self.second(self.pool(torch.relu(self.first(x)))))
        scores: Tensor = self.head(torch.flatten(self.average(x), 1))
        return scores


class SizeDependent(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x if x.sum() > 0 else -x


class OneChannel(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.only = nn.Conv2d(1, 3, 3)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.only(x)
        return found


@pytest.fixture(scope="module")
def small() -> nn.Module:
    model = Small()
    fill_weights(model, seed=1)
    return model


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """Of uint16, so that no conversion rounds it."""
    return random_samples(SIZE, 0, np.uint16)


def reference(module: nn.Module, mix: Mix, samples: np.ndarray, size: Size) -> np.ndarray:
    """The definition of the dream, as colours (height, width, 3) from 0 to 1."""
    grid = layer_grid(deepcopy(module).eval(), "reference", mix.layers)
    network = prepare_network(deepcopy(module).eval(), mix.layers, torch.float64)
    canvas = dream_reference(
        prepare_objectives(network, mix, dict(zip(mix.layers, grid.units, strict=True))),
        grid,
        mix,
        Dream(**SETTINGS),
        lambda rect: to_canvas(samples[rect.slices()], torch.float64),
        (samples.shape[0], samples.shape[1]),
        size,
    )
    colours: np.ndarray = canvas.numpy() * STD + MEAN
    return colours


@pytest.mark.parametrize("size", [None, (70, 55)])
@pytest.mark.parametrize(
    "mix",
    [
        Mix((Objective("second"),)),
        Objective("first", channels=(0, 2), at=((0.5, 0.25),)) + Objective("second") * -0.5,
        Mix((Objective(classes=(1, 3)),)),
    ],
    ids=["layer", "neuron", "classes"],
)
def test_any_module_dreams_as_the_reference_says(
    small: nn.Module, picture: np.ndarray, mix: Mix, size: Size | None
) -> None:
    found = deepdream(
        picture / 65535, small, mix, size=size, tile=24, precision="float64", **SETTINGS
    )
    wanted = reference(small, mix, picture, size or SIZE)
    assert found.shape == (*(size or SIZE), 3)
    assert found.dtype == np.float64
    assert np.abs(found - wanted).max() <= 1e-9


def test_a_torchvision_network_dreams_as_the_reference_says(picture: np.ndarray) -> None:
    torch.manual_seed(0)
    model = squeezenet1_0(weights=None)
    found = deepdream(picture / 65535, model, "features.4", precision="float64", **SETTINGS)
    wanted = reference(model, Mix((Objective("features.4"),)), picture, SIZE)
    assert np.abs(found - wanted).max() <= 1e-9


def test_a_named_network_dreams_as_the_same_module(
    picture: np.ndarray, squeezenet: nn.Module, squeezenet_weights: Path
) -> None:
    by_name = deepdream(
        picture, "squeezenet1_0", "features.3", weights=squeezenet_weights, **SETTINGS
    )
    assert np.array_equal(by_name, deepdream(picture, squeezenet, "features.3", **SETTINGS))


@pytest.mark.parametrize("tile", [16, 40, 500])
def test_the_tile_size_changes_nothing_in_float64(
    small: nn.Module, picture: np.ndarray, tile: int
) -> None:
    settings: DreamSettings = {**SETTINGS, "steps": 3}
    whole = deepdream(picture / 65535, small, "second", precision="float64", **settings)
    tiled = deepdream(picture / 65535, small, "second", precision="float64", tile=tile, **settings)
    assert np.abs(tiled - whole).max() <= 1e-9


def test_all_kinds_of_pictures_give_the_same_dream(small: nn.Module, tmp_path: Path) -> None:
    array = random_samples(SIZE, 1, np.uint8)
    path = tmp_path / "picture.png"
    Image.fromarray(array).save(path)
    found = deepdream(array, small, "second", **SETTINGS)

    assert found.dtype == np.uint8
    assert found.shape == array.shape
    for same in (Image.fromarray(array), path, str(path)):
        assert np.array_equal(deepdream(same, small, "second", **SETTINGS), found)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_are_16_bits_of_colour(small: nn.Module, picture: np.ndarray, dtype: type) -> None:
    found = deepdream((picture / 65535).astype(dtype), small, "second", **SETTINGS)
    wanted = deepdream(picture, small, "second", **SETTINGS)
    assert found.dtype == dtype
    assert np.abs(found * 65535 - wanted).max() <= 1


def test_objectives_may_be_given_in_several_forms(small: nn.Module, picture: np.ndarray) -> None:
    named = Objective("second")
    found = [
        deepdream(picture, small, objectives, **SETTINGS)
        for objectives in ("second", named, ["second"], (named,), Mix((named,)))
    ]
    assert all(np.array_equal(one, found[0]) for one in found)


def test_masks_and_guides_steer(small: nn.Module, tmp_path: Path) -> None:
    picture = random_samples(SIZE, 1, np.uint8)
    mask = np.zeros((*SIZE, 3), np.uint8)
    mask[:, 31:] = 255
    for name, pixels in {"mask": mask, "guide": random_samples((40, 40), 2)}.items():
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    guided = Objective("second", guide=tmp_path / "guide.png")
    one_size: DreamSettings = {**SETTINGS, "octaves": 1}
    masked: DreamSettings = {**one_size, "strength": tmp_path / "mask.png"}

    found = deepdream(picture, small, guided, **masked)
    assert np.array_equal(found[:, :28], picture[:, :28])
    assert (found[:, 34:] != picture[:, 34:]).mean() > 0.5
    assert not np.array_equal(found, deepdream(picture, small, "second", **one_size))


def test_the_network_and_torchs_settings_stay_as_they_are(
    small: nn.Module, picture: np.ndarray
) -> None:
    before = deepcopy(small.state_dict())
    small.train()
    was_deterministic = torch.are_deterministic_algorithms_enabled()
    first = deepdream(picture, small, "second", **SETTINGS)

    assert small.training
    assert {one.device.type for one in small.parameters()} == {"cpu"}
    assert all(torch.equal(one, before[name]) for name, one in small.state_dict().items())
    assert torch.are_deterministic_algorithms_enabled() == was_deterministic
    assert np.array_equal(deepdream(picture, small, "second", **SETTINGS), first)


def test_torchs_threads_are_the_callers_without_determinism(
    small: nn.Module, picture: np.ndarray
) -> None:
    before = torch.get_num_threads()
    torch.set_deterministic_debug_mode("default")
    torch.set_num_threads(3)
    deepdream(picture, small, "second", **SETTINGS, deterministic=False)
    assert torch.get_num_threads() == 3
    torch.set_num_threads(before)


def test_the_default_network_comes_with_weights_and_objectives() -> None:
    picture = random_samples((24, 20), 1, np.uint8)
    found = deepdream(picture, octaves=1, steps=1)
    named = deepdream(picture, objectives=render.Objective(classes=("fish",)), octaves=1, steps=1)
    assert found.shape == named.shape == picture.shape
    assert not np.array_equal(found, named)


def test_layers_are_listed_with_their_fields(small: nn.Module) -> None:
    layers = network_layers(small)
    assert [*layers][:4] == ["first", "relu", "pool", "second"]
    second = layers["second"]
    assert (second.channels, second.stride, second.field, second.reason) == (8, 2, 10, "")
    assert "averages over the whole picture" in layers["average"].reason
    assert network_layers("squeezenet1_0")["features.3.cat"].channels == 128


@pytest.mark.parametrize(
    ("error", "text", "given"),
    [
        (LayerError, "no such layer; nearest: second", {"objectives": "secnd"}),
        (LayerError, "averages over the whole picture", {"objectives": "average"}),
        (
            LayerError,
            "channel 9 of layer second of Small",
            {"objectives": Objective("second", (9,))},
        ),
        (LayerError, "a module's classes have no names", {"objectives": Objective(classes=("a",))}),
        (ValueError, "objectives: Small has no default", {"objectives": None}),
        (ValueError, "at least one objective", {"objectives": []}),
        (ValueError, "steps must be from 0", {"steps": -1}),
        (ValueError, "size must be", {"size": (0, 5)}),
        (ValueError, "size must be", {"size": (5, 5, 3)}),
        (ValueError, "tile must be", {"tile": 0}),
        (TypeError, "stepz: not a field of Dream; nearest: steps", {"stepz": 3}),
        (WeightsError, "is a module, which has its own", {"weights": "weights.pth"}),
        (WeightsError, "no weights named", {"network": "squeezenet1_0"}),
        (NetworkError, "nearest: googlenet", {"network": "googlenett"}),
        (NetworkError, "torch.fx cannot trace it", {"network": SizeDependent()}),
        (NetworkError, "cannot run on", {"network": OneChannel(), "objectives": "only"}),
        (DeviceError, "no such device", {"device": "tpu"}),
        (DeviceError, "no such precision", {"precision": "float8"}),
        (PictureError, "shape must be", {"picture": np.zeros((5, 5), np.uint8)}),
        (PictureError, "dtype must be", {"picture": np.zeros((5, 5, 3), np.int64)}),
        (PictureError, "from 0 to 1", {"picture": np.full((5, 5, 3), 2.0)}),
        (PictureError, "cannot be read", {"picture": "missing.png"}),
        (PictureError, "not a picture", {"picture": 3}),
    ],
)
def test_mistakes_are_refused_in_one_line(
    small: nn.Module, picture: np.ndarray, error: type[Exception], text: str, given: dict[str, Any]
) -> None:
    arguments = {"picture": picture, "network": small, "objectives": "second", **given}
    with pytest.raises(error) as raised:
        deepdream(**arguments)
    assert text in str(raised.value)
    assert "\n" not in str(raised.value)


def test_gradients_that_are_not_finite_are_an_error(small: nn.Module, picture: np.ndarray) -> None:
    broken = deepcopy(small)
    with torch.no_grad():
        next(broken.parameters()).fill_(torch.nan)
    with pytest.raises(RenderError, match="gradients are not finite"):
        deepdream(picture, broken, "second", **SETTINGS)


def test_settings_are_the_fields_of_a_dream() -> None:
    assert [*DreamSettings.__annotations__] == [one.name for one in fields(Dream)]


def test_public_names_load_on_first_use() -> None:
    for name in render.__all__:
        assert getattr(render, name).__name__ == name
        assert name in dir(render)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = render.nothing
