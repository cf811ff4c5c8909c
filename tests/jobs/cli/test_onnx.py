"""ONNX files from the command line: to a picture, to layers and classes, through a store."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import yaml
from onnx import helper
from onnx.external_data_helper import convert_model_to_external_data
from PIL import Image

from jobs.services.scheduler.coordinator import DONE
from jobs.store.folder import FolderStore
from tests.support.coordinators import claim_job
from tests.support.onnx_files import saved, small_network
from tests.support.shell import CommandResult, Shell

LAYER = "/e/Relu"
SMALL = ("--set=dream.octaves=1", "--set=dream.steps=1", "--set=precision=float32")


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A picture of 40 x 36 pixels."""
    path = tmp_path / "tiny.png"
    Image.effect_noise((40, 36), 60).convert("RGB").save(path)
    return path


@pytest.fixture
def network(tmp_path: Path) -> Path:
    return small_network(tmp_path)


def render(shell: Shell, source: Path, out: Path, *flags: object) -> list[Path]:
    ended = shell("render", source, *flags, *SMALL, "--in-process", "--out", out)
    assert ended.code == 0, ended.err
    return sorted(out.glob("*.png"))


def test_a_picture_is_rendered_by_an_onnx_file(
    shell: Shell, tiny: Path, network: Path, tmp_path: Path
) -> None:
    (made,) = render(shell, tiny, tmp_path / "out", "--network", network, "--layer", LAYER)
    picture = np.asarray(Image.open(made).convert("RGB"))
    assert picture.shape == (36, 40, 3)
    assert np.any(picture != np.asarray(Image.open(tiny)))


def test_a_spec_names_a_file_beside_it(
    shell: Shell, tiny: Path, network: Path, tmp_path: Path
) -> None:
    document = {
        "input": "tiny.png",
        "network": {"onnx": "small.onnx"},
        "objectives": [{"classes": [3]}],
    }
    spec = tmp_path / "spec.yaml"
    spec.write_text(yaml.safe_dump(document))
    (made,) = render(shell, spec, tmp_path / "out")
    assert Image.open(made).size == (40, 36)


def plan(shell: Shell, picture: Path, network: Path, *flags: object) -> CommandResult:
    return shell("plan", picture, "--network", network, "--no-probe", *SMALL, *flags)


def test_a_plan_names_the_file_and_its_digest(
    shell: Shell, tiny: Path, network: Path, tmp_path: Path
) -> None:
    first = json.loads(plan(shell, tiny, network, "--json").out)
    assert (first["network"], first["stride"]) == ("small.onnx", 2)
    moved = saved(onnx.load(network), tmp_path / "moved.onnx")
    assert json.loads(plan(shell, tiny, moved, "--json").out)["job"] == first["job"]
    model = onnx.load(network)
    model.graph.initializer[0].raw_data = bytes(len(model.graph.initializer[0].raw_data))
    changed = json.loads(plan(shell, tiny, saved(model, network), "--json").out)
    assert changed["job"] != first["job"]


def test_layers_classes_and_networks_are_listed(shell: Shell, network: Path) -> None:
    model = onnx.load(network)
    helper.set_model_props(model, {"classes": json.dumps([f"kind {n}" for n in range(10)])})
    saved(model, network)
    rows = json.loads(shell("layers", network, "--json").out)
    assert [row["name"] for row in rows][:3] == ["/a/Conv", "/b/Relu", "/c/MaxPool"]
    assert json.loads(shell("layers", network, "--classes", "--json").out)[3] == "kind 3"
    (row,) = json.loads(shell("networks", network, "--json").out)
    assert (row["weights"], row["classes"]) == ("inside", 10)
    (row,) = json.loads(shell("networks", network, "--all", "--json").out)
    assert (row["layer"], row["field"], row["classes"]) == (LAYER, 8, True)


def test_files_of_weights_are_named_by_their_checksum(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "mine.pth"
    path.write_bytes(b"PK")
    (row,) = json.loads(shell("networks", path, "--json").out)
    assert (row["network"], row["weights"]) == (str(path), "not a published file")
    ended = shell("networks", tmp_path / "none.pth")
    assert (ended.code, ended.err.count("\n")) == (2, 1)


def test_a_dataset_and_an_atlas_are_dreamed(
    shell: Shell, tiny: Path, network: Path, tmp_path: Path
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    tiny.rename(photos / "tiny.png")
    made = render(shell, photos, tmp_path / "out", "--network", network, "--layer", LAYER)
    assert [path.name for path in made] == ["tiny.png"]
    atlas = tmp_path / "atlas.yaml"
    document = {
        "kind": "atlas",
        "network": {"onnx": "small.onnx"},
        "of": {"layer": LAYER, "channels": [0, 5]},
        "size": 32,
        "fourier": {"steps": 2},
    }
    atlas.write_text(yaml.safe_dump(document))
    ended = shell("render", atlas, "--in-process", "--out", tmp_path / "atlas")
    assert ended.code == 0, ended.err
    assert len(list((tmp_path / "atlas").rglob("*.png"))) == 2


def in_two_files(network: Path) -> None:
    model = onnx.load(network)
    convert_model_to_external_data(model, location="small.data", size_threshold=0)
    onnx.save(model, network)


@pytest.mark.parametrize("prepare", [lambda _: None, in_two_files], ids=["one file", "two files"])
@pytest.mark.parametrize("kind", ["poster", "dataset"])
def test_a_job_is_submitted_and_rendered_with_the_same_bytes(
    shell: Shell,
    tiny: Path,
    network: Path,
    store: FolderStore,
    tmp_path: Path,
    kind: str,
    prepare: Callable[[Path], None],
) -> None:
    prepare(network)
    photos = tmp_path / "photos"
    photos.mkdir()
    tiny = tiny.rename(photos / tiny.name)
    source = tiny if kind == "poster" else photos
    flags = ("--network", network, "--layer", LAYER)
    (here,) = render(shell, source, tmp_path / "here", *flags)
    ended = shell("submit", source, *flags, *SMALL, "--set=crew.workers=1")
    assert ended.code == 0, ended.err
    job = ended.out.split()[0]
    for path in tmp_path.glob("small.*"):
        path.unlink()
    assert claim_job(store, job, tmp_path / "work").run() == DONE
    assert shell("fetch", job, "--out", tmp_path / "there").code == 0
    (there,) = (tmp_path / "there").glob("*.png")
    assert there.read_bytes() == here.read_bytes()


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--layer", "/e/Relo"), "no such layer; nearest: /e/Relu"),
        (("--layer", "/f/GlobalAveragePool"), "averages over the whole picture; the deepest that"),
        (("--set=objectives=[{classes: [10]}]",), "no such class; it has 10, from 0 to 9"),
        (("--weights", "w.safetensors"), "w.safetensors: is not the path of an .onnx file"),
        (("--look", "garden"), "look garden: needs network pareidolia, not onnx"),
    ],
)
def test_what_the_network_lacks_is_told_in_one_line(
    shell: Shell, tiny: Path, network: Path, flags: tuple[str, ...], told: str
) -> None:
    ended = plan(shell, tiny, network, *flags)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert told in ended.err


def with_custom_operator(path: Path) -> None:
    model = onnx.load(path)
    model.graph.node[1].domain = "com.example"
    saved(model, path)


def with_huge_shape(path: Path) -> None:
    model = onnx.load(path)
    model.graph.initializer[0].dims[:] = [10**6, 10**6]
    saved(model, path)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def with_text(path: Path) -> None:
    path.write_text("not a network")


BAD: dict[str, tuple[Callable[[Path], None], str]] = {
    "a custom operator": (with_custom_operator, "only those of ONNX itself are translated; cut"),
    "10^12 elements": (with_huge_shape, "declares 1000000000000 values"),
    "a cut file": (cut, "is it a whole .onnx file?"),
    "text": (with_text, "is it a whole .onnx file?"),
    "no file": (Path.unlink, "o such file"),
}


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("command", ["plan", "render", "submit", "layers"])
def test_bad_files_exit_with_2(
    shell: Shell, tiny: Path, network: Path, store: FolderStore, kind: str, command: str
) -> None:
    damage, told = BAD[kind]
    damage(network)
    arguments = [network] if command == "layers" else [tiny, "--network", network]
    ended = shell(command, *arguments)
    assert (ended.code, ended.err.count("\n")) == (2, 1), ended.err
    assert told in ended.err
    assert not list(store.list_objects(""))
