"""`dreamfarm train`: a network for your own pictures, its resumption, and what is refused."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from jobs.records.keys import JobKeys
from jobs.records.lease import claim_lease
from jobs.runtime.local_workdir import open_local_store
from jobs.runtime.publish import Publisher
from jobs.services import training
from jobs.services.training import train
from jobs.text.errors import LeaseLost
from jobs.text.report import ResultReport
from render.fourier.setup import Fourier
from render.networks.weights_metadata import read_metadata
from render.training.finetune import class_pictures, finetune
from render.training.finetune.batches import draw_own_motifs
from render.training.finetune.settings import FineTuneSettings, Stage
from render.training.train import Progress, Training
from tests.support.own_motifs import MOTIFS, write_photographs
from tests.support.shell import Shell, check_error_line, hidden_files, json_output, visible_files

QUICKLY = ("--batches", 3, "--licence", "CC BY 4.0")


@pytest.fixture(scope="module")
def motifs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fifty pictures of each of two motifs, and a file that is none."""
    root = tmp_path_factory.mktemp("pictures") / "Things & keys"
    write_photographs(root, ["key", "umbrella"], 50)
    (root / "key" / "notes.txt").write_text("which keys these are")
    return root


@pytest.fixture(scope="module")
def _small() -> Iterator[None]:
    """Small batches, short dreams, and few drawings."""
    drawn = draw_own_motifs(1, lambda _: None)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(finetune, "RECIPE", replace(finetune.RECIPE, batch_size=8))
        patched.setattr(finetune, "draw_own_motifs", lambda *_: drawn)
        patched.setattr(class_pictures, "_FOURIER", Fourier(steps=1))
        yield


@pytest.fixture(scope="module")
def trained(_small: None, motifs: Path, tmp_path_factory: pytest.TempPathFactory) -> ResultReport:
    """What the quick training gives without interruption."""
    out = tmp_path_factory.mktemp("trained")
    settings = FineTuneSettings("CC BY 4.0")
    return train(motifs, lambda _: out, settings, lambda _: None, batches=3)


@pytest.mark.usefixtures("_small")
def test_an_interrupted_training_goes_on_and_gives_the_same_file(
    shell: Shell,
    motifs: Path,
    trained: ResultReport,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(finetune, "CHECKPOINT_SECONDS", 0.0)
    with monkeypatch.context() as patched:
        patched.setattr(Training, "__next__", interrupted_after(2))
        ended = shell("train", motifs, *QUICKLY)
    assert ended.code == 130
    assert "rerun the same command to resume" in ended.err
    assert [*tmp_path.glob("dreams/*/[!.]*")] == []

    numbers: list[int] = []
    with monkeypatch.context() as patched:
        patched.setattr(Training, "__next__", counting(numbers))
        resumed = shell("train", motifs, *QUICKLY)
    assert resumed.code == 0, resumed.err
    assert numbers == [3]
    weights, sheet, figures = resumed.out.splitlines()
    assert Path(weights).parent.parent == Path("dreams")
    assert visible_files(Path(weights).parent) == {
        "things-keys.safetensors",
        "things-keys.jpg",
        "manifest.json",
    }
    assert hidden_files(tmp_path) == []
    assert figures.startswith("of 10 held-out pictures it names ")
    assert "left out 1:" in resumed.err
    assert "notes.txt" in resumed.err
    whole = [Path(one["path"]) for one in trained.document["outputs"]]
    assert Path(weights).read_bytes() == whole[0].read_bytes()
    assert Path(sheet).read_bytes() == whole[1].read_bytes()


@pytest.mark.usefixtures("_small")
def test_a_training_that_is_late_stops(motifs: Path, tmp_path: Path) -> None:
    after: list[Stage] = []

    def take_over(stage: Stage) -> None:
        if after:
            after.append(stage)
        elif stage.name == "train":
            after.append(stage)
            (workdir,) = (tmp_path / ".training").iterdir()
            store, keys = open_local_store(workdir / "store"), JobKeys(workdir.name)
            assert claim_lease(store, keys, 1, "other:1", 60) is not None

    with pytest.raises(LeaseLost, match="another process goes on with this job"):
        train(motifs, lambda _: tmp_path, FineTuneSettings(), take_over, batches=1)
    assert len(after) == 1


@pytest.mark.usefixtures("_small")
def test_a_training_killed_while_it_publishes_leaves_what_is_published_whole(
    motifs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    def train_again() -> ResultReport:
        return train(motifs, lambda _: out, FineTuneSettings(), lambda _: None, batches=1)

    out, seen = tmp_path / "out", tmp_path / "seen"
    with monkeypatch.context() as patched:
        patched.setattr(Publisher, "write_manifest", interrupt)
        with pytest.raises(KeyboardInterrupt):
            train_again()
    seen.hardlink_to(out / "things-keys.jpg")
    before = seen.read_bytes()
    # As by another kind of machine.
    monkeypatch.setattr(training, "_draw_sheet", lambda *_: b"another sheet")
    results = train_again()
    assert (out / "things-keys.jpg").read_bytes() == b"another sheet"
    assert results.manifest["outputs"][1]["bytes"] == len(b"another sheet")
    assert seen.read_bytes() == before
    assert hidden_files(out) == []


_NEXT = Training.__next__


def interrupted_after(count: int) -> object:
    """In place of a training's `__next__`: Ctrl-C comes after so many batches."""
    numbers: Iterator[int] = iter(range(count))

    def step(training: Training) -> Progress:
        if next(numbers, None) is None:
            raise KeyboardInterrupt
        return _NEXT(training)

    return step


def counting(numbers: list[int]) -> object:
    """In place of a training's `__next__`: notes the batches."""

    def step(training: Training) -> Progress:
        now = _NEXT(training)
        numbers.append(now.batches)
        return now

    return step


def test_what_was_trained_is_said_listed_and_rendered(
    shell: Shell, motifs: Path, trained: ResultReport, tmp_path: Path
) -> None:
    weights, sheet = (Path(one["path"]) for one in trained.document["outputs"])
    assert Image.open(sheet).format == "JPEG"
    metadata = read_metadata(weights)
    assert metadata.architecture == "pareidolia"
    assert metadata.classes == ("key", "umbrella")
    assert metadata.licence == "CC BY 4.0"
    manifest = json.loads(weights.with_name("manifest.json").read_text())
    assert manifest == trained.manifest
    assert manifest["pictures"] == {"key": 50, "umbrella": 50}
    assert [Path(one["path"]).name for one in manifest["left_out"]] == ["notes.txt"]

    listed = json_output(shell("layers", weights, "--classes", "--json"))
    assert listed == ["key", "umbrella"]
    rows = json_output(shell("layers", weights, "--json"))
    assert {row["name"]: row["channels"] for row in rows}["classes.relu"] == 2
    picture = motifs / "key" / "000.jpg"
    drawn = json_output(
        shell(
            *("render", picture, "--weights", weights, "--size", "64xauto"),
            *("--set", "objectives=[{classes: [umbrella]}]", "--set", "dream.steps=1"),
            *("--set", "dream.octaves=1", "--in-process", "--json", "--out", tmp_path / "out"),
        )
    )
    assert drawn["outputs"][0]["width"] == 64
    unknown = shell(
        *("plan", picture, "--weights", weights, "--no-probe"),
        *("--set", "objectives=[{classes: [fox]}]"),
    )
    check_error_line(unknown, "class fox of pareidolia: no such class; known: key, umbrella")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("missing", "{root}: no such folder; check the path"),
        ("empty", "{root}: has nothing in it; make a folder for each motif in it"),
        ("one motif", "{root}: has one motif, key; a network needs two or more to tell apart"),
        ("too few", "{root}/umbrella: has 49 pictures; a motif needs 50 to 5000, so add more"),
        ("unreadable", "{root}/umbrella: only 49 of 50 pictures can be read, and a motif needs 50"),
        ("nested", "{root}/key/old: is a folder in the folder of a motif; move its pictures up"),
        ("loose", "{root}: a.jpg beside the folders of the motifs; move each file into"),
        ("a file", "{root}: is not a folder; give a folder that has a folder for each motif"),
    ],
)
@pytest.mark.usefixtures("_small")
def test_bad_pictures_are_refused_in_one_line(
    shell: Shell, motifs: Path, tmp_path: Path, change: str, said: str
) -> None:
    root = tmp_path / "motifs"
    if change == "a file":
        root.touch()
    elif change == "empty":
        root.mkdir()
    elif change != "missing":
        shutil.copytree(motifs, root)
        (root / "key" / "notes.txt").unlink()
    match change:
        case "one motif":
            shutil.rmtree(root / "umbrella")
        case "too few":
            (root / "umbrella" / "007.jpg").unlink()
        case "unreadable":
            (root / "umbrella" / "007.jpg").write_bytes(b"damaged")
        case "nested":
            (root / "key" / "old").mkdir()
        case "loose":
            (root / "a.jpg").touch()
    ended = shell("train", root, *QUICKLY, "--out", tmp_path / "out")
    check_error_line(ended, said.format(root=root))
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("_small")
def test_files_of_others_and_pictures_are_not_replaced(
    shell: Shell, motifs: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    kept = tmp_path / "out" / "things-keys.safetensors"
    kept.write_bytes(b"hours of work")
    ended = shell("train", motifs, *QUICKLY, "--out", tmp_path / "out")
    check_error_line(
        ended, f"{tmp_path}/out/things-keys.safetensors: exists already and is not a result of"
    )
    assert kept.read_bytes() == b"hours of work"
    inside = shell("train", motifs, *QUICKLY, "--out", motifs / "key" / "out")
    check_error_line(inside, f"{motifs}/key/out: lies in {motifs}, among the pictures; choose")
    fox = tmp_path / "motifs" / "fox"
    shutil.copytree(motifs / "key", fox)
    shutil.copytree(motifs / "key", fox.with_name("key"))
    named = shell("train", fox.parent, *QUICKLY, "--keep-classes")
    check_error_line(named, f"{fox.parent}/fox: pareidolia has a class of that name; rename")


def test_weights_that_name_no_network_are_refused(
    shell: Shell, weights: Path, picture: Path, tmp_path: Path
) -> None:
    planned = shell("plan", picture, "--weights", weights, "--no-probe")
    check_error_line(planned, "network: weights need the name of their network; write network")
    missing = tmp_path / "missing.safetensors"
    planned = shell("plan", picture, "--weights", missing, "--no-probe")
    check_error_line(planned, f"weights {missing}: cannot be read (No such file or directory)")
    ended = shell("layers", weights, "--classes")
    check_error_line(ended, f"{weights}: does not say for which network it is; give the network's")


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_five_motifs_of_100_pictures_are_learned(shell: Shell, tmp_path: Path) -> None:
    """It names 85% of held-out pictures, and half of those that are perturbed."""
    folder = write_photographs(tmp_path / "five", sorted(MOTIFS), 100)
    out = tmp_path / "out"
    said = json_output(shell("train", folder, "--out", out, "--json"))
    figures = said["figures"]
    assert figures["held_out"] == 50
    assert figures["adversary"]["radius"] == 3.5
    assert figures["clean_accuracy"] >= 0.85
    assert figures["perturbed_accuracy"] >= 0.5
