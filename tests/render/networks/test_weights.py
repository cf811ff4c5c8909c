"""Weights files: valid ones are loaded, others are refused in one line."""

import json
import os
import pickle
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import Tensor

from render.errors import LayerError, NetworkError, WeightsError
from render.networks.builtin import LOGITS
from render.networks.catalogue import build_network, check_network_name, network_names
from render.networks.classes import check_head, class_names
from render.networks.network import load_network
from render.networks.normalisation import CONVENTION_ATTRIBUTE
from render.networks.weight_paths import resolve_weights
from render.networks.weights import convert_to_safetensors, load_with_weights, read_weights
from render.networks.weights_metadata import WeightsMetadata, read_metadata
from tests.support.malicious_files import Trap
from tests.support.seeded_networks import noise_picture, save_seeded_weights

NAME = "squeezenet1_0"

Tensors = dict[str, Tensor]


def zeros(name: str, *, auxiliary: bool = False) -> dict[str, Tensor]:
    """Return a complete state of a network with all values 0."""
    state = build_network(name, auxiliary=auxiliary).state_dict()
    return {key: torch.zeros_like(value, device="cpu") for key, value in state.items()}


def truncated(path: Path) -> None:
    save_file(zeros(NAME), path)
    path.write_bytes(path.read_bytes()[:5000])


def truncated_archive(path: Path) -> None:
    torch.save({"a": torch.zeros(1000)}, path)
    path.write_bytes(path.read_bytes()[:600])


def another_network(path: Path) -> None:
    torch.save(zeros("squeezenet1_1"), path)


def few_tensors(path: Path) -> None:
    save_file({"features.0.weight": torch.zeros(96, 3, 7, 7)}, path)


def wrong_shape(path: Path) -> None:
    save_file(zeros(NAME) | {"features.0.bias": torch.zeros(64)}, path)


def surplus_tensor(path: Path) -> None:
    save_file(zeros(NAME) | {"spare.weight": torch.zeros(2)}, path)


BAD = [
    ("empty.pth", lambda path: path.write_bytes(b""), "cannot be read"),
    ("empty.safetensors", lambda path: path.write_bytes(b""), "cannot be read"),
    ("cut.safetensors", truncated, "cannot be read"),
    ("cut.pth", truncated_archive, "cannot be read"),
    ("random.pth", lambda path: path.write_bytes(bytes(range(256)) * 40), "not safe|cannot be rea"),
    ("random.safetensors", lambda path: path.write_bytes(bytes(range(256))), "cannot be read"),
    ("folder.pth", lambda path: path.mkdir(), "cannot be read"),
    ("folder.safetensors", lambda path: path.mkdir(), "cannot be read"),
    ("list.pth", lambda path: torch.save([torch.zeros(2)], path), "not a table of tensors"),
    ("tensor.pth", lambda path: torch.save(torch.zeros(2), path), "not a table of tensors"),
    ("epoch.pth", lambda path: torch.save({"epoch": 3}, path), "save the state_dict alone"),
    ("none.pth", lambda path: torch.save({}, path), "save the state_dict alone"),
    (
        "averaged.pth",
        lambda path: torch.save({"left": zeros(NAME), "right": zeros(NAME)}, path),
        r"several tables of tensors \(left, right\); save the one",
    ),
    ("page.safetensors", lambda path: path.write_text("<!DOCTYPE html>"), "neither a safetensors"),
    ("model.onnx", lambda path: path.write_bytes(b"\x08\x07" * 99), "neither a safetensors nor a"),
    (
        "other.pth",
        another_network,
        r"features\.5\.squeeze\.weight is missing; .*; and \d+ more; name the network",
    ),
    ("few.safetensors", few_tensors, r"features\.0\.bias is missing; .*; and 4\d more"),
    ("shape.safetensors", wrong_shape, r"features\.0\.bias is 64, not 96; name the network"),
    ("surplus.safetensors", surplus_tensor, r"spare\.weight is not in the network; name the netwo"),
]


@pytest.mark.parametrize(("name", "make", "message"), BAD)
def test_bad_files_are_refused_in_one_line(
    tmp_path: Path, name: str, make: Callable[[Path], object], message: str
) -> None:
    path = tmp_path / name
    make(path)
    with pytest.raises(WeightsError, match=message) as refused:
        load_with_weights(NAME, path)
    assert str(refused.value).startswith(f"weights {path}: ")
    assert "\n" not in str(refused.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no such file"):
        resolve_weights(NAME, str(tmp_path / "none.safetensors"))
    with pytest.raises(WeightsError, match="cannot be read"):
        load_with_weights(NAME, tmp_path / "none.safetensors")
    with pytest.raises(WeightsError, match="cannot be read"):
        load_with_weights(NAME, tmp_path / "none.pth")


def test_a_pickle_with_code_is_refused_and_not_run(tmp_path: Path) -> None:
    sprung, path = tmp_path / "sprung", tmp_path / "weights.pth"
    content = {"features.0.weight": Trap(sprung)}
    for bare in (True, False):
        if bare:
            path.write_bytes(pickle.dumps(content, protocol=2))
        else:
            torch.save(content, path)
        with pytest.raises(WeightsError, match="not safe to open") as refused:
            load_with_weights(NAME, path)
        assert "\n" not in str(refused.value)
        assert not sprung.exists()
    pickle.loads(pickle.dumps(Trap(sprung)))
    assert sprung.exists(), "the trap would have worked"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=200), st.text(max_size=80).map(str.encode)))
@example(b"hello, I am no network")
@example(b"0")
def test_any_other_file_is_refused_too(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    with pytest.raises(WeightsError) as refused:
        load_with_weights(NAME, path)
    assert "\n" not in str(refused.value)


def test_both_kinds_of_file_give_the_same_network(tmp_path: Path, seeded_squeezenet: Path) -> None:
    torch.save(load_file(seeded_squeezenet), tmp_path / "same.pth")
    kept, pickled = read_weights(seeded_squeezenet), read_weights(tmp_path / "same.pth")
    assert kept.keys() == pickled.keys()
    assert all(torch.equal(kept[name], pickled[name]) for name in kept)
    for path in (seeded_squeezenet, tmp_path / "same.pth"):
        state = load_with_weights(NAME, path).state_dict()
        assert all(torch.equal(state[name], kept[name]) for name in kept)


def prefixed(tensors: Tensors, prefix: str) -> Tensors:
    return {f"{prefix}{name}": value for name, value in tensors.items()}


CHECKPOINTS: dict[str, Callable[[Tensors], object]] = {
    "data parallel": lambda tensors: prefixed(tensors, "module."),
    "compiled": lambda tensors: prefixed(tensors, "module._orig_mod."),
    "averaged": lambda tensors: {
        "n_averaged": torch.tensor(3),
        **prefixed(tensors, "module."),
    },
    "with an epoch": lambda tensors: {"epoch": 9, "state_dict": tensors},
    "best": lambda tensors: {
        "epoch": 9,
        "best_acc1": torch.tensor(0.7),
        "state_dict": prefixed(tensors, "module."),
        "optimizer": {"state": {0: {"step": torch.tensor(1.0)}}, "param_groups": []},
    },
    "lightning": lambda tensors: {"state_dict": prefixed(tensors, "model."), "loops": {}},
    "reference": lambda tensors: {"model": tensors, "optimizer": {}, "lr_scheduler": {}},
    "model state": lambda tensors: {"model_state": tensors, "optimizer_state": {"state": {}}},
    "nested": lambda tensors: {"epoch": 1, "model": {"state_dict": tensors, "step": 3}},
    "average beside the network": lambda tensors: {
        "state_dict": {name: value + 1 for name, value in tensors.items()},
        "state_dict_ema": prefixed(tensors, "module."),
    },
    "average in an entry": lambda tensors: {
        "model": {name: value + 1 for name, value in tensors.items()},
        "ema": {"decay": 0.99, "module": tensors},
    },
    "as float16": lambda tensors: {name: value.half() for name, value in tensors.items()},
}


@pytest.mark.parametrize("kind", CHECKPOINTS)
def test_checkpoints_of_training_scripts_are_unwrapped(
    tmp_path: Path, seeded_squeezenet: Path, kind: str
) -> None:
    kept = load_file(seeded_squeezenet)
    torch.save(CHECKPOINTS[kind](kept), tmp_path / "model_best.pth.tar")
    state = load_with_weights(NAME, tmp_path / "model_best.pth.tar").state_dict()
    if kind == "as float16":
        kept = {name: value.half().float() for name, value in kept.items()}
    assert all(torch.equal(state[name], kept[name]) for name in kept)
    assert {value.dtype for value in state.values()} == {torch.float32}


@pytest.mark.parametrize("name", ["SQUEEZE.SAFETENSORS", "3f9a1c", "weights.pth", "w.bin"])
def test_safetensors_are_known_by_their_bytes(
    tmp_path: Path, seeded_squeezenet: Path, name: str
) -> None:
    path = shutil.copyfile(seeded_squeezenet, tmp_path / name)
    kept, state = load_file(seeded_squeezenet), load_with_weights(NAME, path).state_dict()
    assert all(torch.equal(state[name], kept[name]) for name in kept)
    convert_to_safetensors(path, tmp_path / "copy.safetensors")
    assert (tmp_path / "copy.safetensors").read_bytes() == seeded_squeezenet.read_bytes()


def test_the_metadata_of_safetensors_counts_under_any_name(tmp_path: Path) -> None:
    path = tmp_path / "blob"
    save_file(zeros("squeezenet1_1"), path, {"architecture": "squeezenet1_1"})
    with pytest.raises(WeightsError, match="made for squeezenet1_1, not squeezenet1_0"):
        load_with_weights(NAME, path)


def test_a_pickle_that_is_called_safetensors_is_read(
    tmp_path: Path, seeded_squeezenet: Path
) -> None:
    kept = load_file(seeded_squeezenet)
    torch.save(kept, tmp_path / "w.safetensors")
    assert read_weights(tmp_path / "w.safetensors").keys() == kept.keys()


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
def test_a_pipe_is_refused_at_once(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    for read in (read_weights, read_metadata, lambda path: resolve_weights(NAME, str(path))):
        with pytest.raises(WeightsError, match="is a pipe, not a file; save it to a file first"):
            read(tmp_path / name)


@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
def test_files_with_and_without_side_heads_fit(tmp_path: Path, name: str) -> None:
    for auxiliary in (True, False):
        tensors = zeros(name, auxiliary=auxiliary)
        assert any(re.match("aux|Aux", key) for key in tensors) == auxiliary
        save_file(tensors, tmp_path / "weights.safetensors")
        assert not any(
            value.is_meta
            for value in load_with_weights(name, tmp_path / "weights.safetensors").parameters()
        )


HEADS = [
    ("resnet18", "fc", "fc.weight"),
    ("densenet121", "classifier", "classifier.weight"),
    ("squeezenet1_0", "classifier.1", "classifier.1.weight"),
    ("mobilenet_v2", "classifier.1", "classifier.1.weight"),
    ("inception_v3", "fc", "fc.weight"),
    ("bvlc_googlenet", "loss3/classifier", "loss3/classifier.weight"),
    ("pareidolia", "classes.conv", "classes.conv.weight"),
]


@pytest.mark.parametrize(("name", "head", "weight"), HEADS)
def test_heads_have_any_number_of_classes_or_are_absent(
    tmp_path: Path, name: str, head: str, weight: str
) -> None:
    path = tmp_path / "weights.safetensors"
    state = build_network(name, classes=365).state_dict()
    tensors = {key: torch.zeros_like(value, device="cpu") for key, value in state.items()}
    save_file(tensors, path)
    assert load_with_weights(name, path).state_dict()[weight].shape[0] == 365
    assert class_names(name, path) == tuple(map(str, range(365)))
    save_file({n: value for n, value in tensors.items() if not n.startswith(head)}, path)
    loaded = load_with_weights(name, path)
    assert {n for n, value in loaded.named_parameters() if value.is_meta} == {
        n for n in tensors if n.startswith(head)
    }
    with pytest.raises(LayerError, match="have no head; name a layer, or channels of one, instead"):
        check_head(name, path)
    with pytest.raises(LayerError, match="have no values"):
        load_network(name, path, (LOGITS,))


def test_a_head_of_another_kind_is_left_out(tmp_path: Path) -> None:
    """A user's own head: two linear layers in place of one."""
    tensors = zeros("resnet18")
    own = {"fc.0.weight": torch.zeros(64, 512), "fc.2.weight": torch.zeros(5, 64)}
    body = {name: value for name, value in tensors.items() if not name.startswith("fc.")}
    save_file(body | own, tmp_path / "weights.safetensors")
    loaded = load_with_weights("resnet18", tmp_path / "weights.safetensors")
    state = loaded.state_dict()
    assert state["fc.weight"].is_meta
    assert not state["layer4.1.conv2.weight"].is_meta


def test_a_head_that_does_not_fit_is_named(tmp_path: Path) -> None:
    tensors = zeros("resnet18") | {"fc.weight": torch.zeros(1000, 256)}
    save_file(tensors, tmp_path / "weights.safetensors")
    with pytest.raises(WeightsError, match=r"fc\.weight is 1000x256, not 1000x512; name the"):
        load_with_weights("resnet18", tmp_path / "weights.safetensors")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_shards_are_read_by_their_index(
    tmp_path: Path, seeded_squeezenet: Path, dtype: torch.dtype
) -> None:
    kept = {name: value.to(dtype) for name, value in load_file(seeded_squeezenet).items()}
    index = sharded(tmp_path, kept)
    state = load_with_weights(NAME, index).state_dict()
    assert all(torch.equal(state[name], kept[name].float()) for name in kept)
    convert_to_safetensors(index, tmp_path / "whole.safetensors")
    assert load_file(tmp_path / "whole.safetensors").keys() == kept.keys()


def test_shards_keep_what_they_state(tmp_path: Path, seeded_squeezenet: Path) -> None:
    index = sharded(tmp_path, load_file(seeded_squeezenet))
    assert read_metadata(index) == WeightsMetadata()
    convert_to_safetensors(index, tmp_path / "without.safetensors")
    assert not read_header(tmp_path / "without.safetensors").get("__metadata__")

    first, second = sorted(tmp_path.glob("model-*.safetensors"))
    classes = json.dumps(["day", "night"])
    for path, stated in (
        (first, {"architecture": f"torchvision {NAME}", "format": "pt"}),
        (second, {"architecture": "vgg16", "classes": classes, "input_convention": "unit"}),
    ):
        save_file(load_file(path), path, metadata=stated)
    known = WeightsMetadata(NAME, ("day", "night"), "", "unit")
    assert read_metadata(index) == known
    whole = tmp_path / "whole.safetensors"
    convert_to_safetensors(index, whole)
    assert read_metadata(whole) == known
    assert getattr(load_with_weights(NAME, index), CONVENTION_ATTRIBUTE) == "unit"


def read_header(path: Path) -> dict[str, object]:
    content = path.read_bytes()
    header: dict[str, object] = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return header


def sharded(folder: Path, tensors: Tensors) -> Path:
    """Two files of half the tensors each, and their index."""
    names = sorted(tensors)
    places = {name: f"model-{1 + (n % 2):05}-of-00002.safetensors" for n, name in enumerate(names)}
    for place in set(places.values()):
        save_file({n: tensors[n] for n in names if places[n] == place}, folder / place)
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": places}))
    return index


BAD_INDEXES = {
    "elsewhere": ({"weight_map": {"a": "../other.safetensors"}}, "is not a file beside it"),
    "absolute": ({"weight_map": {"a": "/etc/passwd"}}, "is not a file beside it"),
    "a pickle": ({"weight_map": {"a": "model.pth"}}, "is not a safetensors file"),
    "missing": ({"weight_map": {"a": "none.safetensors"}}, "cannot be read"),
    "empty": ({"weight_map": {}}, "JSON without a weight_map"),
    "a list": ({"weight_map": [1]}, "JSON without a weight_map"),
}


@pytest.mark.parametrize("kind", BAD_INDEXES)
def test_bad_indexes_are_refused(tmp_path: Path, kind: str) -> None:
    content, message = BAD_INDEXES[kind]
    torch.save({"a": torch.zeros(1)}, tmp_path / "model.pth")
    (tmp_path / "index.json").write_text(json.dumps(content))
    with pytest.raises(WeightsError, match=message) as refused:
        load_with_weights(NAME, tmp_path / "index.json")
    assert "\n" not in str(refused.value)


def test_old_densenet_files_fit_and_mean_the_same(tmp_path: Path) -> None:
    """Files before 2018 have `denselayer1.norm.1` for `denselayer1.norm1`, and no counters."""
    layers = ("features.denseblock1.denselayer2",)
    new = save_seeded_weights("densenet121", layers, tmp_path / "new.safetensors")
    old = {
        re.sub(r"(denselayer\d+\.(?:norm|relu|conv))(\d)\.", r"\1.\2.", name): tensor
        for name, tensor in load_file(new).items()
        if not name.endswith("num_batches_tracked")
    }
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    torch.save(old, tmp_path / "old.pth")
    x = noise_picture((48, 48)).permute(2, 0, 1)[None]
    seen = [
        load_network("densenet121", path, layers, torch.float64, torch.device("cpu")).activations(x)
        for path in (new, tmp_path / "old.pth")
    ]
    assert torch.equal(seen[0][layers[0]], seen[1][layers[0]])


def test_only_builtin_networks_have_default_weights() -> None:
    assert resolve_weights("pareidolia", None).suffix == ".safetensors"
    with pytest.raises(WeightsError, match="no weights named; give weights"):
        resolve_weights("vgg16", None)


@pytest.mark.usefixtures("no_network")
def test_pretrained_offline_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(WeightsError, match="could not be downloaded") as refused:
        resolve_weights("squeezenet1_1", "pretrained")
    assert "name a local .safetensors or .pth file" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_pretrained_uses_torchvisions_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    cached = tmp_path / "hub" / "checkpoints" / "squeezenet1_0-b66bff10.pth"
    cached.parent.mkdir(parents=True)
    cached.touch()
    assert resolve_weights("squeezenet1_0", "pretrained") == cached


def test_unknown_networks_name_the_nearest() -> None:
    with pytest.raises(NetworkError, match=r"network vgg61: no such network; nearest: .*vgg16"):
        check_network_name("vgg61")
    assert network_names()[0] == "pareidolia"
    assert {"squeezenet1_0", "googlenet", "vit_b_16", "maxvit_t"} < set(network_names())
