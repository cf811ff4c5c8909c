"""Training: drawn pictures, the adversary, the loop."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from render.networks.pareidolia import pareidolia
from render.training.dataset import (
    CROP,
    centre_crop,
    class_labels,
    draw_pictures,
    load_or_draw,
    random_batch,
)
from render.training.motifs import MOTIFS, Motif
from render.training.motifs.drawing import noise
from render.training.pictures import SIDE, draw_background, draw_picture, pose_frame
from render.training.train import (
    INITIAL_LEAK,
    Adversary,
    Progress,
    Training,
    TrainingConfig,
    with_leaky_relu,
    with_normalisation,
)

BY_CLASS = pytest.mark.parametrize(
    "label", range(len(MOTIFS)), ids=[motif.name for motif in MOTIFS]
)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def pictures() -> torch.Tensor:
    """Two pictures of every class."""
    drawn = [draw_picture(3, index)[0] for index in range(2 * len(MOTIFS))]
    return torch.from_numpy(np.stack(drawn))


@BY_CLASS
def test_every_class_draws_the_same_picture_again(label: int) -> None:
    image, drawn = draw_picture(7, label + len(MOTIFS))
    again, _ = draw_picture(7, label + len(MOTIFS))
    assert drawn == label
    assert image.shape == (SIDE, SIDE, 3)
    assert image.dtype == np.uint8
    assert np.array_equal(image, again)


@pytest.mark.parametrize("motif", MOTIFS, ids=lambda motif: motif.name)
def test_every_motif_covers_some_of_its_frame_in_range(motif: Motif) -> None:
    paint = motif.draw(pose_frame(np.random.default_rng(len(motif.name)), SIDE, motif, 0.8, 0.1))
    assert np.isfinite(paint.colour).all()
    assert paint.cover.min() >= 0
    assert paint.cover.max() <= 1 + 1e-5
    assert paint.cover.mean() > 0.04


def test_no_two_motifs_have_one_name() -> None:
    names = [motif.name for motif in MOTIFS]
    assert len(set(names)) == len(names) >= 64


@given(seed=st.integers(0, 2**31), index=st.integers(0, 10**6))
@settings(max_examples=15)
def test_another_index_is_another_picture(seed: int, index: int) -> None:
    first, _ = draw_picture(seed, index)
    other, _ = draw_picture(seed, index + len(MOTIFS))
    assert not np.array_equal(first, other)


@given(seed=st.integers(0, 2**31), slope=st.floats(0.5, 3.0))
@settings(max_examples=15)
def test_noise_has_mean_0_and_deviation_1(seed: int, slope: float) -> None:
    field = noise(np.random.default_rng(seed), 64, slope)
    assert abs(float(field.mean())) < 1e-4
    assert float(field.std()) == pytest.approx(1, abs=1e-3)


def test_steeper_noise_is_smoother() -> None:
    rough, fine = (noise(np.random.default_rng(1), 64, slope) for slope in (0.5, 2.5))
    assert np.abs(np.diff(fine)).mean() < 0.3 * np.abs(np.diff(rough)).mean()


def test_backgrounds_are_in_range_and_repeat() -> None:
    first = draw_background(np.random.default_rng(5), SIDE)
    assert first.min() >= 0
    assert first.max() <= 1
    assert np.array_equal(first, draw_background(np.random.default_rng(5), SIDE))


def test_drawn_pictures_do_not_depend_on_the_workers_and_are_stored(
    tmp_path: Path, pictures: torch.Tensor
) -> None:
    drawn = draw_pictures(3, 5, workers=2)
    assert torch.equal(drawn, pictures[:5])
    path = tmp_path / "pool.npy"
    np.save(path, drawn.numpy())
    written = path.stat().st_mtime_ns
    assert torch.equal(load_or_draw(path, 3, 5, workers=1), drawn)
    assert path.stat().st_mtime_ns == written


def test_batches_repeat_with_their_seed(pictures: torch.Tensor) -> None:
    batches = [random_batch(pictures, 16, torch.Generator().manual_seed(2)) for _ in range(2)]
    (first, names), (again, _) = batches
    assert first.shape == (16, 3, CROP, CROP)
    assert first.min() >= 0
    assert first.max() <= 1
    assert names.max() < len(MOTIFS)
    assert torch.equal(first, again)


@given(radius=st.floats(0.05, 4.0), steps=st.integers(1, 3))
@settings(max_examples=8)
def test_the_adversary_stays_within_its_radius_and_range(radius: float, steps: int) -> None:
    torch.manual_seed(0)
    network = with_normalisation(pareidolia())
    start = torch.rand(3, 3, 40, 40)
    found = Adversary(radius, steps).perturb(network, start, torch.tensor([0, 1, 2]))
    assert (found - start).flatten(1).norm(dim=1).max() <= radius * (1 + 1e-4)
    assert found.min() >= -1e-6
    assert found.max() <= 1 + 1e-6
    assert not torch.equal(found, start)


def test_the_adversary_raises_the_loss_and_leaves_the_network_alone(
    pictures: torch.Tensor,
) -> None:
    torch.manual_seed(0)
    network = with_normalisation(pareidolia()).train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    start, names = random_batch(pictures, 8, torch.Generator().manual_seed(0))
    found = Adversary(1.5, 3).perturb(network, start, names)
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())
    network.eval()
    with torch.no_grad():
        loss = [torch.nn.functional.cross_entropy(network(x), names) for x in (start, found)]
    assert loss[1] > loss[0]


@pytest.mark.parametrize("radius", [0.0, 0.2])
def test_a_few_batches_lower_the_loss(radius: float, pictures: torch.Tensor) -> None:
    torch.manual_seed(0)
    network = pareidolia().to(memory_format=torch.channels_last)
    images, names = pictures[:4], class_labels(torch.arange(4))
    config = TrainingConfig(batches=25, batch_size=4, rate=3e-3, radius=radius)

    def loss() -> float:
        # Batch statistics, because 25 batches are too few for running ones.
        network.train()
        with torch.no_grad():
            scores = with_normalisation(network)(centre_crop(images))
            return float(torch.nn.functional.cross_entropy(scores, names))

    before = loss()
    batches = partial(random_batch, images, config.batch_size)
    reports = list(Training(network, batches, config, torch.Generator().manual_seed(0)))
    assert loss() < 0.7 * before
    assert [report.batches for report in reports] == list(range(1, 26))
    assert all(report.total == 25 for report in reports)


def test_the_radius_is_0_then_grows_then_stays() -> None:
    config = TrainingConfig(batches=1, batch_size=1, rate=1.0, radius=2.0, clean=0.2, grown=0.6)
    assert config.adversary_at(0.0) is config.adversary_at(0.19) is None
    growing = config.adversary_at(0.4)
    assert growing is not None
    assert growing.radius == pytest.approx(1.0)
    assert growing.steps == 1
    assert config.adversary_at(0.6) == config.adversary_at(0.99) == Adversary(2.0, 2)


def test_the_leak_decreases_to_a_plain_relu() -> None:
    network = pareidolia()
    rectifier = network.classes.relu
    leaks = []
    for _ in with_leaky_relu(network, (Progress(n, 10, 0.0) for n in range(1, 11)), until=0.5):
        leak = network.classes.relu
        assert isinstance(leak, torch.nn.LeakyReLU)
        leaks.append(leak.negative_slope)
    assert leaks[:5] == pytest.approx([INITIAL_LEAK * (1 - n / 5) for n in range(1, 6)])
    assert leaks[5:] == [0.0] * 5
    assert network.classes.relu is rectifier
