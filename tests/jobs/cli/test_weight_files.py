"""Weights files as people have them: every kind loads through a command, bad ones exit with 2."""

import hashlib
import json
import pickle
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from jobs.planning.weights import find_weights
from jobs.spec.base import NetworkChoice
from render.networks import published_weights
from render.networks.catalogue import build_network
from render.networks.weights_metadata import read_metadata
from tests.support.malicious_files import Trap
from tests.support.shell import CommandResult, Shell
from tests.support.small_poster import LAYER, NETWORK
from tests.support.weight_files import (
    block,
    caffemodel,
    file_names,
    filled,
    tensorflow_graph,
    varint,
)

Tensors = dict[str, torch.Tensor]


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A picture of 40 x 36 pixels."""
    path = tmp_path / "tiny.png"
    Image.effect_noise((40, 36), 60).convert("RGB").save(path)
    return path


def prefixed(tensors: Tensors, prefix: str) -> Tensors:
    return {f"{prefix}{name}": value for name, value in tensors.items()}


def saved(change: Callable[[Tensors], object]) -> Callable[[Path, Tensors], Path]:
    def save(folder: Path, tensors: Tensors) -> Path:
        torch.save(change(tensors), folder / "mine.pth")
        return folder / "mine.pth"

    return save


def sharded(folder: Path, tensors: Tensors) -> Path:
    places = {name: f"part-{len(name) % 2}.safetensors" for name in tensors}
    for place in set(places.values()):
        part = {n: v.bfloat16() for n, v in tensors.items() if places[n] == place}
        save_file(part, folder / place)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    return folder / "model.safetensors.index.json"


def halved(folder: Path, tensors: Tensors) -> Path:
    save_file({n: v.half() for n, v in tensors.items()}, folder / "half.safetensors")
    return folder / "half.safetensors"


def without_head(tensors: Tensors) -> Tensors:
    return {name: value for name, value in tensors.items() if not name.startswith("classifier")}


def with_few_classes(tensors: Tensors) -> Tensors:
    head = {"classifier.1.weight": torch.zeros(5, 512, 1, 1), "classifier.1.bias": torch.zeros(5)}
    return tensors | head


KINDS = {
    "state_dict": saved(lambda tensors: {"epoch": 3, "state_dict": tensors}),
    "model": saved(lambda tensors: {"model": tensors, "optimizer": {"state": {}}}),
    "model_state": saved(lambda tensors: {"model_state": tensors}),
    "average": saved(lambda tensors: {"model": tensors, "model_ema": tensors}),
    "module prefix": saved(lambda tensors: prefixed(tensors, "module.")),
    "compiled": saved(lambda tensors: {"state_dict": prefixed(tensors, "_orig_mod.")}),
    "few classes": saved(with_few_classes),
    "no head": saved(without_head),
    "float16": halved,
    "bfloat16 shards": sharded,
}


def plan(shell: Shell, picture: Path, network: str, weights: Path, layer: str) -> CommandResult:
    settings = ["dream.octaves=1", "dream.steps=1"]
    flags = ["--network", network, "--weights", weights, "--layer", layer]
    return shell("plan", picture, *flags, "--no-probe", "--json", *(f"--set={s}" for s in settings))


@pytest.mark.parametrize("kind", KINDS)
def test_checkpoints_are_planned(
    shell: Shell, tiny: Path, tmp_path: Path, weights: Path, kind: str
) -> None:
    path = KINDS[kind](tmp_path, load_file(weights))
    ended = plan(shell, tiny, NETWORK, path, LAYER)
    assert ended.code == 0, ended.err


@pytest.mark.parametrize(
    ("network", "layer", "write"),
    [
        ("bvlc_googlenet", "inception_3a/output", caffemodel),
        ("googlenet_places205", "inception_3a/1x1", lambda one: caffemodel(one, old=True)),
        ("inception5h", "mixed3a", tensorflow_graph),
        ("caffe_lenet", "conv2", caffemodel),
    ],
)
def test_files_of_caffe_and_tensorflow_are_rendered(
    shell: Shell,
    tiny: Path,
    tmp_path: Path,
    network: str,
    layer: str,
    write: Callable[[Tensors], bytes],
) -> None:
    path = tmp_path / "weights"
    path.write_bytes(write(file_names(filled(build_network(network)))))
    flags = ["--network", network, "--weights", path, "--layer", layer, "--out", tmp_path / "out"]
    small = ["--set=dream.octaves=1", "--set=dream.steps=1", "--workers", 1]
    ended = shell("render", tiny, *flags, *small)
    assert ended.code == 0, ended.err
    (made,) = (tmp_path / "out").rglob("*.png")
    assert Image.open(made).size == (40, 36)


def pickled_trap(folder: Path) -> bytes:
    return pickle.dumps({"features.0.weight": Trap(folder / "sprung")}, protocol=2)


BAD: dict[str, tuple[Callable[[Path], bytes], str]] = {
    "a cut caffemodel": (
        lambda _: caffemodel(file_names(filled(build_network("caffe_lenet"))))[:-9],
        "are left); is it a whole weights file?",
    ),
    "a length of 2^63": (
        lambda _: block(1, "net") + varint(100 << 3 | 2) + varint(2**63),
        "claims 9223372036854775808 bytes",
    ),
    "a pickle with code": (pickled_trap, "not safe to open"),
    "another graph": (
        lambda _: tensorflow_graph({"dense.weight": torch.zeros(3, 3)}),
        "conv1.weight is missing",
    ),
    "a custom message": (lambda _: block(1, "x") + block(500, b"x" * 50), "neither a safetensors"),
    "an index of nothing": (lambda _: b'{"weight_map": {}}', "JSON without a weight_map"),
    "an index of files elsewhere": (
        lambda _: b'{"weight_map": {"a": "../../secret"}}',
        "is not a file beside it",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_files_exit_with_2(shell: Shell, tiny: Path, tmp_path: Path, kind: str) -> None:
    write, message = BAD[kind]
    path = tmp_path / "weights.caffemodel"
    path.write_bytes(write(tmp_path))
    ended = plan(shell, tiny, "caffe_lenet", path, "conv2")
    assert ended.code == 2
    assert message in ended.err
    assert ended.err.count("\n") == 1
    assert not (tmp_path / "sprung").exists()


def test_networks_of_2015_need_a_file(shell: Shell, tiny: Path) -> None:
    ended = shell("plan", tiny, "--network", "bvlc_googlenet")
    assert ended.code == 2
    assert "no weights come with it; give weights: a .caffemodel" in ended.err


def test_a_plan_names_published_weights(
    shell: Shell, tiny: Path, tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = KINDS["state_dict"](tmp_path, load_file(weights))
    start = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    monkeypatch.setattr(published_weights, "_torchvision_names", lambda: {start: "a known file"})
    assert json.loads(plan(shell, tiny, NETWORK, path, LAYER).out)["weights"] == "a known file"
    assert "weights" not in json.loads(plan(shell, tiny, NETWORK, weights, LAYER).out)
    flags = ("--network", NETWORK, "--weights", path, "--no-probe")
    assert re.search(r"weights +a known file", shell("plan", tiny, *flags).out)
    (row,) = json.loads(shell("networks", path, "--json").out)
    assert row["weights"] == "a known file"


def test_classes_of_an_absent_head_are_refused(
    shell: Shell, tiny: Path, tmp_path: Path, weights: Path
) -> None:
    path = KINDS["no head"](tmp_path, load_file(weights))
    flags = ["--network", NETWORK, "--weights", path, "--set=objectives=[{classes: [3]}]"]
    ended = shell("plan", tiny, *flags)
    assert ended.code == 2
    assert "have no head; name a layer" in ended.err


def test_a_class_beyond_the_usual_number_is_known(
    shell: Shell, tiny: Path, tmp_path: Path, weights: Path
) -> None:
    head = {
        "classifier.1.weight": torch.ones(1200, 512, 1, 1),
        "classifier.1.bias": torch.ones(1200),
    }
    path = saved(lambda tensors: tensors | head)(tmp_path, load_file(weights))
    flags = ["--network", NETWORK, "--weights", path, "--no-probe", "--set=dream.octaves=1"]
    assert shell("plan", tiny, *flags, "--set=objectives=[{classes: [1100]}]").code == 0
    ended = shell("plan", tiny, *flags, "--set=objectives=[{classes: [1200]}]")
    assert ended.code == 2
    assert "no such class; it has 1200, from 0 to 1199" in ended.err


def test_shards_count_in_the_identity(
    shell: Shell, tiny: Path, tmp_path: Path, weights: Path
) -> None:
    """The same index with other shards is another job."""
    index = sharded(tmp_path, load_file(weights))
    first = json.loads(plan(shell, tiny, NETWORK, index, LAYER).out)
    again = json.loads(plan(shell, tiny, NETWORK, index, LAYER).out)
    part = tmp_path / "part-0.safetensors"
    save_file({name: value + 1 for name, value in load_file(part).items()}, part)
    changed = json.loads(plan(shell, tiny, NETWORK, index, LAYER).out)
    assert first["job"] == again["job"] != changed["job"]


def test_what_shards_state_reaches_the_render(tmp_path: Path, weights: Path) -> None:
    index, stated = sharded(tmp_path, load_file(weights)), {"input_convention": "unit"}
    part = tmp_path / "part-0.safetensors"
    save_file(load_file(part), part, metadata=stated)
    joined, _ = find_weights(NetworkChoice(name=NETWORK, weights=index))
    assert joined.suffix == ".safetensors"
    assert read_metadata(joined).input_convention == "unit"
