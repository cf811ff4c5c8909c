"""Fine-tuning: its result, its resumption, its file and its class pictures."""

import copy
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open

from render.errors import OutputError, WeightsError
from render.fourier.setup import Fourier
from render.networks.pareidolia import CLASS_COUNT, Pareidolia
from render.training.evaluation import save_weights
from render.training.finetune import class_pictures, finetune
from render.training.finetune.batches import draw_own_motifs
from render.training.finetune.class_pictures import dream_classes
from render.training.finetune.finetune import Checkpoints, fine_tune
from render.training.finetune.picture_pool import SIDE, MotifPictures, PicturePool
from render.training.finetune.settings import FineTuneSettings, Machine, Stage
from render.training.finetune.weights_file import class_names_of, judge, write_weights
from render.training.motifs import MOTIFS
from tests.support.own_motifs import draw_photograph

HERE = Machine("cpu", "float32")
SETTINGS = FineTuneSettings(batches=4, licence="CC0")
KEEPING = replace(SETTINGS, keep_classes=True, batches=1)


FULL_DISK = Path("/dev/full")

needs_full_disk = pytest.mark.skipif(not FULL_DISK.exists(), reason="a system without /dev/full")


@pytest.fixture(autouse=True, scope="module")
def _small_batches() -> Iterator[None]:
    drawn = draw_own_motifs(1, lambda _: None)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(finetune, "RECIPE", replace(finetune.RECIPE, batch_size=8))
        patched.setattr(finetune, "draw_own_motifs", lambda *_: drawn)
        yield


@pytest.fixture(scope="module")
def pool() -> PicturePool:
    """Ten pictures of each of two motifs."""

    def motif(name: str) -> MotifPictures:
        drawn = [draw_photograph(name, seed).resize((SIDE, SIDE)) for seed in range(10)]
        return MotifPictures(
            name, np.stack([*map(np.asarray, drawn)]), np.arange(8), np.arange(8, 10)
        )

    return PicturePool((motif("key"), motif("umbrella")), ())


class Interrupted(Exception):  # noqa: N818 - it stands for Ctrl-C
    """What ends a training here."""


def trained(
    pool: PicturePool, folder: Path, settings: FineTuneSettings = SETTINGS, until: int = 99
) -> tuple[Pareidolia, Sequence[Stage]]:
    """A network, and the stages seen. The training is interrupted after `until` batches."""
    stages: list[Stage] = []

    def watch(stage: Stage) -> None:
        stages.append(stage)
        if stage.name == "train" and stage.done > until:
            raise Interrupted

    folder.mkdir(exist_ok=True)
    checkpoints = Checkpoints(folder / "checkpoint.pt", seconds=0)
    return fine_tune(pool, settings, HERE, checkpoints, watch), stages


def same(one: Pareidolia, other: Pareidolia) -> bool:
    tensors = other.state_dict()
    return all(torch.equal(value, tensors[name]) for name, value in one.state_dict().items())


@pytest.fixture(scope="module")
def network(pool: PicturePool, tmp_path_factory: pytest.TempPathFactory) -> Pareidolia:
    """A network of the settings, trained without interruption."""
    return trained(pool, tmp_path_factory.mktemp("whole"))[0]


@pytest.fixture(scope="module")
def wide(pool: PicturePool, tmp_path_factory: pytest.TempPathFactory) -> Pareidolia:
    """A network that keeps pareidolia's own classes."""
    return trained(pool, tmp_path_factory.mktemp("wide"), KEEPING)[0]


def test_an_interrupted_training_gives_the_same_bits(
    pool: PicturePool, network: Pareidolia, tmp_path: Path
) -> None:
    with pytest.raises(Interrupted):
        trained(pool, tmp_path, until=2)
    resumed, stages = trained(pool, tmp_path)
    assert [one.done for one in stages if one.name == "train"] == [3, 4]
    assert all(one.loss is not None for one in stages if one.name == "train")
    assert same(network, resumed)


def test_another_seed_gives_another_network(pool: PicturePool, tmp_path: Path) -> None:
    one, other = (
        trained(pool, tmp_path / str(seed), replace(SETTINGS, seed=seed, batches=1))[0]
        for seed in range(2)
    )
    assert not same(one, other)


def head(network: Pareidolia) -> torch.nn.Conv2d:
    """The convolution with a channel for each class."""
    convolution = network.classes.conv
    assert isinstance(convolution, torch.nn.Conv2d)
    return convolution


def test_the_network_has_the_new_classes_or_all(
    pool: PicturePool, network: Pareidolia, wide: Pareidolia, tmp_path: Path
) -> None:
    narrow, _ = trained(pool, tmp_path, replace(KEEPING, keep_classes=False))
    assert head(narrow).weight.shape[0] == 2
    assert head(wide).weight.shape[0] == CLASS_COUNT + 2
    assert torch.equal(head(wide).weight[CLASS_COUNT:], head(narrow).weight)
    assert class_names_of(pool, SETTINGS) == ["key", "umbrella"]
    assert class_names_of(pool, KEEPING) == [*(motif.name for motif in MOTIFS), "key", "umbrella"]


def test_a_damaged_checkpoint_is_named(pool: PicturePool, tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"damaged")
    with pytest.raises(WeightsError, match=r"checkpoint.pt: is damaged .*; remove it, and run"):
        trained(pool, tmp_path)


@needs_full_disk
def test_a_full_disk_is_said_in_one_line(pool: PicturePool, tmp_path: Path) -> None:
    """Not by torch, whose error has the line of its source."""
    (tmp_path / "checkpoint.part").symlink_to(FULL_DISK)
    with pytest.raises(OutputError, match=r"checkpoint.pt: cannot be written: No space left"):
        trained(pool, tmp_path)


@needs_full_disk
def test_a_full_disk_for_the_weights_is_said(
    pool: PicturePool, network: Pareidolia, tmp_path: Path
) -> None:
    (tmp_path / "one.part").symlink_to(FULL_DISK)
    with pytest.raises(OutputError, match=r"one.safetensors: cannot be written: No space left"):
        write_weights(network, tmp_path / "one.safetensors", pool, SETTINGS, {})


def test_the_weights_file_says_everything_and_is_reproducible(
    pool: PicturePool, network: Pareidolia, tmp_path: Path
) -> None:
    figures = judge(network, pool, SETTINGS, HERE, lambda _: None)
    files = [tmp_path / f"{name}.safetensors" for name in ("one", "two")]
    for file in files:
        write_weights(network, file, pool, SETTINGS, figures)
    assert files[0].read_bytes() == files[1].read_bytes()
    with safe_open(files[0], "pt") as opened:
        said = opened.metadata()
        assert torch.equal(opened.get_tensor("classes.conv.weight"), head(network).weight)
    assert said["architecture"] == "pareidolia"
    assert said["input_convention"] == "torchvision"
    assert said["licence"] == "CC0"
    assert json.loads(said["classes"]) == ["key", "umbrella"]
    assert json.loads(said["pictures"]) == {"key": 10, "umbrella": 10}
    assert json.loads(said["figures"]) == figures
    assert figures["held_out"] == 4
    assert json.loads(said["recipe"])["batches"] == SETTINGS.batches
    assert said["dreamfarm"]


def test_all_classes_are_judged_against_each_other(pool: PicturePool, wide: Pareidolia) -> None:
    """A new class must win against pareidolia's own, too."""
    judged = copy.deepcopy(wide)
    bias = head(judged).bias
    assert bias is not None
    with torch.no_grad():
        bias[0] += 1000
    assert judge(judged, pool, KEEPING, HERE, lambda _: None)["clean_accuracy"] == 0
    with torch.no_grad():
        bias[CLASS_COUNT + 1] += 2000
    assert judge(judged, pool, KEEPING, HERE, lambda _: None)["clean_accuracy"] == 0.5


def test_each_class_has_a_picture(
    network: Pareidolia, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(class_pictures, "_FOURIER", Fourier(steps=1))
    save_weights(network, tmp_path / "one.safetensors", {"architecture": "pareidolia"})
    first, again = (
        list(dream_classes(tmp_path / "one.safetensors", 2, 0, HERE, lambda _: None))
        for _ in range(2)
    )
    assert first[0].shape == (class_pictures.SIDE, class_pictures.SIDE, 3)
    assert not np.array_equal(first[0], first[1])
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))
