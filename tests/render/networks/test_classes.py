"""Classes by index or name, and the metadata of weights files."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from render.errors import LayerError, NetworkError, WeightsError
from render.networks.builtin import BUILTIN_NETWORKS, NETWORKS_OF_2015, builtin_weights
from render.networks.catalogue import network_names
from render.networks.classes import class_index, class_names
from render.networks.weights import load_with_weights
from render.networks.weights_metadata import WeightsMetadata, read_metadata


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def file_with_metadata(path: Path, **said: str) -> Path:
    save_file({"a": torch.zeros(1)}, path, metadata=said)
    return path


def test_every_network_has_names_for_its_classes() -> None:
    for name in network_names():
        names = class_names(name)
        assert len(names) == (
            NETWORKS_OF_2015.get(name, 1000)
            if name not in BUILTIN_NETWORKS
            else len(read_metadata(builtin_weights(name)).classes)
        )
        assert all(names)


def test_a_class_by_name_or_number() -> None:
    assert class_index("vgg16", None, 207) == 207
    assert class_index("vgg16", None, "golden retriever") == 207
    assert class_index("pareidolia", None, "Peacock") == class_names("pareidolia").index("peacock")


def test_case_matters_only_between_equal_names() -> None:
    names = class_names("resnet18")
    dog, garment = class_index("resnet18", None, "Cardigan"), names.index("cardigan")
    assert class_index("resnet18", None, "cardigan") == garment
    assert names[dog] == "Cardigan"
    assert dog != garment
    with pytest.raises(LayerError, match=f"means {dog} and {garment}; give the number"):
        class_index("resnet18", None, "CARDIGAN")


@pytest.mark.parametrize(
    ("network", "named", "message"),
    [
        ("vgg16", 1000, "class 1000 of vgg16: no such class; it has 1000, from 0 to 999"),
        ("vgg16", -1, "class -1 of vgg16: no such class"),
        ("pareidolia", "peacok", "class peacok of pareidolia: no such class; nearest: peacock"),
        ("vgg16", "gondla", "class gondla of vgg16: no such class; nearest: gondola"),
        ("vgg16", "zzzzzz", "no such class; `dreamfarm layers vgg16 --classes` lists those there"),
    ],
)
def test_an_unknown_class_is_refused(network: str, named: str | int, message: str) -> None:
    with pytest.raises(LayerError, match=message) as refused:
        class_index(network, None, named)
    assert "\n" not in str(refused.value)


def test_an_unknown_network_has_no_names() -> None:
    with pytest.raises(NetworkError, match="nearest: vgg19, vgg16"):
        class_names("vgg61")


def test_names_in_the_weights_file_come_first(tmp_path: Path) -> None:
    path = file_with_metadata(tmp_path / "w.safetensors", classes=json.dumps(["left", "right"]))
    assert class_names("vgg16", path) == ("left", "right")
    assert class_index("vgg16", path, "Right") == 1
    with pytest.raises(LayerError, match="it has 2, from 0 to 1"):
        class_index("vgg16", path, 2)
    with pytest.raises(LayerError, match="no such class; known: left, right"):
        class_index("vgg16", path, "zzzzzz")


@pytest.mark.parametrize("said", ["", "ImageNet, 1000", "1000", "[1, 2]", "{}"])
def test_malformed_names_are_ignored(tmp_path: Path, said: str) -> None:
    path = file_with_metadata(tmp_path / "w.safetensors", classes=said)
    assert read_metadata(path) == WeightsMetadata()
    assert class_index("vgg16", path, "gondola") == class_names("vgg16").index("gondola")


def test_metadata_of_builtin_weights() -> None:
    for name in BUILTIN_NETWORKS:
        said = read_metadata(builtin_weights(name))
        assert said.architecture == name
        assert said.licence
        assert said.classes


def test_other_files_have_no_metadata(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"  # the content counts, not the name
    path.write_bytes(b"PK: a checkpoint of PyTorch")
    assert read_metadata(path) == WeightsMetadata()


def test_a_damaged_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes((9).to_bytes(8, "little") + b"{no header")
    with pytest.raises(WeightsError, match="cannot be read") as refused:
        read_metadata(path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("said", ["vgg16", "torchvision vgg16"])
def test_a_file_made_for_another_network_is_refused(tmp_path: Path, said: str) -> None:
    path = file_with_metadata(tmp_path / "w.safetensors", architecture=said)
    message = f"weights {path}: made for vgg16, not vgg19; name vgg16 instead"
    with pytest.raises(WeightsError) as refused:
        load_with_weights("vgg19", path)
    assert str(refused.value) == message


@pytest.mark.parametrize("said", ["vgg19", "torchvision vgg19", "somebody's VGG"])
def test_a_file_for_this_or_an_unknown_network_is_loaded(tmp_path: Path, said: str) -> None:
    path = file_with_metadata(tmp_path / "w.safetensors", architecture=said)
    with pytest.raises(WeightsError, match="do not fit vgg19"):
        load_with_weights("vgg19", path)


def test_names_load_no_torch() -> None:
    code = (
        "import sys; from render.networks.classes import class_index;"
        "class_index('pareidolia', None, 'eye');"
        "assert not {'torch', 'torchvision'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
