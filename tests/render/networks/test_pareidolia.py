"""The network pareidolia: its architecture, its weights and its figures."""

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torchvision.models.feature_extraction import create_feature_extractor, get_graph_node_names

from render.networks.pareidolia import CLASS_COUNT, Pareidolia, pareidolia
from render.training.__main__ import CONFIG
from render.training.dataset import centre_crop
from render.training.evaluation import FRESH_SEED, accuracy
from render.training.motifs import MOTIFS
from render.training.pictures import draw_picture
from render.training.train import Adversary, with_normalisation

BLOCKS = ["mixed3a.cat", "mixed3b.cat", "mixed4a.cat", "mixed4b.cat", "mixed5a.cat"]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def weights(project: Path) -> Path:
    return project / "render" / "networks" / "pareidolia.safetensors"


@pytest.fixture(scope="module")
def figures(project: Path) -> dict[str, float]:
    text = (project / "render" / "training" / "figures.json").read_text()
    claimed: dict[str, float] = json.loads(text)
    return claimed


@pytest.fixture(scope="module")
def trained(weights: Path) -> Pareidolia:
    network = pareidolia()
    network.load_state_dict(load_file(weights), strict=True)
    return network.eval()


@pytest.fixture(scope="module")
def fresh() -> tuple[torch.Tensor, torch.Tensor]:
    """Four new pictures of every class, in [0, 1], and their classes."""
    drawn = [draw_picture(FRESH_SEED, index) for index in range(4 * len(MOTIFS))]
    images = torch.stack([torch.from_numpy(image) for image, _ in drawn])
    return centre_crop(images), torch.tensor([label for _, label in drawn])


def test_there_is_a_score_for_every_motif() -> None:
    assert len(MOTIFS) == CLASS_COUNT
    assert len({motif.name for motif in MOTIFS}) == CLASS_COUNT
    assert pareidolia().eval()(torch.zeros(2, 3, 72, 72)).shape == (2, CLASS_COUNT)


def test_layers_have_plain_names() -> None:
    names = get_graph_node_names(pareidolia().eval())[1]
    assert [name for name in names if name.endswith(".cat")] == BLOCKS


@pytest.mark.parametrize(
    ("block", "stride"), [(block, 16 if "5" in block else 8) for block in BLOCKS]
)
def test_blocks_keep_their_stride(block: str, stride: int) -> None:
    cut = create_feature_extractor(pareidolia().eval(), {block: "out"})
    out = cut(torch.zeros(1, 3, 96, 160))["out"]
    assert out.shape[2:] == (96 // stride, 160 // stride)


def test_scores_are_the_means_of_the_class_map() -> None:
    torch.manual_seed(0)
    network = pareidolia().eval()
    cut = create_feature_extractor(network, {"classes.relu": "map"})
    pictures = torch.randn(2, 3, 96, 64)
    with torch.no_grad():
        evidence = cut(pictures)["map"]
        assert evidence.shape == (2, CLASS_COUNT, 6, 4)
        assert evidence.min() >= 0
        assert torch.allclose(evidence.mean((2, 3)), network(pictures), atol=1e-6)


def test_blocks_commute_with_shifts() -> None:
    torch.manual_seed(0)
    cut = create_feature_extractor(pareidolia().eval().double(), {BLOCKS[2]: "out"})
    picture_ = torch.zeros(1, 3, 320, 320, dtype=torch.float64)
    picture_[:, :, 150:170, 150:170] = torch.randn(1, 3, 20, 20, dtype=torch.float64)
    with torch.no_grad():
        still = cut(picture_)["out"]
        moved = cut(picture_.roll((8, 16), (2, 3)))["out"]
    inner = slice(14, 26)
    expected = still.roll((1, 2), (2, 3))[:, :, inner, inner]
    assert torch.allclose(moved[:, :, inner, inner], expected, atol=1e-12)
    assert not torch.allclose(moved[:, :, inner, inner], still[:, :, inner, inner], atol=1e-3)


def test_the_weights_file_fits_and_is_small(weights: Path, trained: Pareidolia) -> None:
    assert weights.stat().st_size <= 6 * 2**20
    assert all(bool(value.isfinite().all()) for value in trained.state_dict().values())


def test_the_weights_file_has_metadata(weights: Path) -> None:
    with safe_open(weights, framework="pt") as opened:
        metadata = opened.metadata()
    assert metadata["architecture"] == "pareidolia"
    assert metadata["licence"] == "MIT"
    assert json.loads(metadata["classes"]) == [motif.name for motif in MOTIFS]


def test_accuracy_on_new_pictures_matches_the_figures(
    trained: Pareidolia,
    figures: dict[str, float],
    fresh: tuple[torch.Tensor, torch.Tensor],
) -> None:
    # Three standard deviations, at least 0.04.
    claimed = figures["clean_accuracy"]
    margin = max(0.04, 3 * (claimed * (1 - claimed) / len(fresh[1])) ** 0.5)
    assert accuracy(with_normalisation(trained), *fresh) >= claimed - margin


def test_perturbed_accuracy_matches_the_figures(
    trained: Pareidolia,
    figures: dict[str, float],
    fresh: tuple[torch.Tensor, torch.Tensor],
) -> None:
    pictures, names = fresh[0][: 2 * CLASS_COUNT], fresh[1][: 2 * CLASS_COUNT]
    model = with_normalisation(trained)
    worst = Adversary(CONFIG.radius, 4).perturb(model, pictures, names)
    claimed = figures["perturbed_accuracy"]
    margin = 3 * (claimed * (1 - claimed) / len(names)) ** 0.5
    assert accuracy(model, worst, names) >= claimed - margin


def test_figures_match_the_weights_file(weights: Path, figures: dict[str, float]) -> None:
    assert figures["bytes"] == weights.stat().st_size
    assert figures["parameters"] == sum(p.numel() for p in pareidolia().parameters())
    assert figures["classes"] == CLASS_COUNT
