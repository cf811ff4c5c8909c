"""LeNet-5: its digits, its training, its architecture and its figures."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torchvision.models.feature_extraction import create_feature_extractor

from render.networks.lenet5 import CLASS_COUNT, LeNet5, lenet5
from render.training.digits.__main__ import CONFIG
from render.training.digits.handwriting import draw_strokes
from render.training.digits.pictures import COUNT, SIDE, draw_picture, draw_pictures, random_batch
from render.training.evaluation import FRESH_SEED, accuracy
from render.training.train import Adversary, Training, TrainingConfig, with_normalisation


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def weights(project: Path) -> Path:
    return project / "render" / "networks" / "lenet5.safetensors"


@pytest.fixture(scope="module")
def figures(project: Path) -> dict[str, float]:
    text = (project / "render" / "training" / "digits" / "figures.json").read_text()
    claimed: dict[str, float] = json.loads(text)
    return claimed


@pytest.fixture(scope="module")
def trained(weights: Path) -> LeNet5:
    network = lenet5()
    network.load_state_dict(load_file(weights), strict=True)
    return network.eval()


@pytest.mark.parametrize("digit", range(COUNT))
def test_every_digit_draws_the_same_picture_again(digit: int) -> None:
    image, drawn = draw_picture(7, digit + COUNT)
    again, _ = draw_picture(7, digit + COUNT)
    assert drawn == digit
    assert image.shape == (SIDE, SIDE, 3)
    assert image.dtype == np.uint8
    assert np.array_equal(image, again)
    assert not np.array_equal(image, draw_picture(7, digit + 2 * COUNT)[0])


@pytest.mark.parametrize("digit", range(COUNT))
def test_strokes_are_smooth_and_inside_the_picture(digit: int) -> None:
    for seed in range(20):
        for stroke in draw_strokes(np.random.default_rng(seed), digit):
            assert stroke.min() > -0.15
            assert stroke.max() < 1.15
            assert np.hypot(*np.diff(stroke, axis=0).T).max() < 0.2


def test_batches_repeat_with_their_seed() -> None:
    drawn = draw_pictures(1, 30)
    (first, digits), (again, _) = (
        random_batch(*drawn, 16, torch.Generator().manual_seed(2)) for _ in range(2)
    )
    assert first.shape == (16, 3, SIDE, SIDE)
    assert first.min() >= 0
    assert first.max() <= 1
    assert digits.max() < COUNT
    assert torch.equal(first, again)


def test_a_few_batches_lower_the_loss() -> None:
    torch.manual_seed(0)
    network = lenet5()
    batches = partial(random_batch, *draw_pictures(1, 40), 32)
    config = TrainingConfig(batches=120, batch_size=32, rate=3e-3, radius=0.1)
    reports = list(Training(network, batches, config, torch.Generator().manual_seed(0)))
    assert reports[-1].loss < 0.8 * reports[0].loss


def test_scores_are_the_means_of_the_class_map_of_grey() -> None:
    torch.manual_seed(0)
    network = lenet5().eval()
    cut = create_feature_extractor(network, {"classes": "map"})
    seen = torch.randn(2, 3, 48, 64)
    with torch.no_grad():
        evidence = cut(seen)["map"]
        assert evidence.shape == (2, CLASS_COUNT, 5, 9)
        assert evidence.min() < 0
        assert torch.allclose(evidence.mean((2, 3)), network(seen), atol=1e-6)
        grey = network.grey(torch.eye(3).view(3, 3, 1, 1)).flatten()
    assert grey[1] > grey[0] > grey[2] > 0
    assert not network.grey.weight.requires_grad


def test_accuracy_on_new_digits_matches_the_figures(
    trained: LeNet5, figures: dict[str, float]
) -> None:
    images, digits = draw_pictures(FRESH_SEED, 400)
    seen, model = images.float() / 255, with_normalisation(trained)
    for claimed, shown in (
        (figures["clean_accuracy"], seen),
        (
            figures["perturbed_accuracy"],
            Adversary(CONFIG.radius, 4).perturb(model, seen, digits),
        ),
    ):
        margin = max(0.02, 3 * (claimed * (1 - claimed) / len(digits)) ** 0.5)
        assert accuracy(model, shown, digits) >= claimed - margin


def test_figures_and_metadata_match_the_weights_file(
    weights: Path, figures: dict[str, float]
) -> None:
    assert figures["bytes"] == weights.stat().st_size
    assert figures["parameters"] == sum(p.numel() for p in lenet5().parameters())
    with safe_open(weights, framework="pt") as opened:
        metadata = opened.metadata()
    assert metadata["architecture"] == "lenet5"
    assert metadata["licence"] == "MIT"
    assert json.loads(metadata["classes"]) == [str(digit) for digit in range(CLASS_COUNT)]
