"""Published weights files are known by their checksums."""

import hashlib
from pathlib import Path

import pytest
from safetensors.torch import save_file
from torch import ones

from render.networks import published_weights as module
from render.networks.published_weights import is_as_named, published_weights, torch_downloads


@pytest.mark.parametrize(
    ("start", "name"),
    [
        ("1378be20", "googlenet's IMAGENET1K_V1 of torchvision"),
        ("11ad3fa6", "resnet50's IMAGENET1K_V2 of torchvision"),
        ("0676ba61", "resnet50's IMAGENET1K_V1 of torchvision"),
        ("b8a52dc0", "squeezenet1_1's IMAGENET1K_V1 of torchvision"),
        ("00000000", None),
    ],
)
def test_files_of_torchvision_are_named(tmp_path: Path, start: str, name: str | None) -> None:
    """The digits are those in the addresses of torchvision's files."""
    path = tmp_path / "renamed.bin"
    path.write_bytes(b"PK\x03\x04")
    assert published_weights(path, f"sha256:{start}{'0' * 56}") == name


def test_files_of_caffe_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, content = tmp_path / "mine.caffemodel", b"weights"
    path.write_bytes(content)
    assert published_weights(path, "sha256:0") is None
    known = {hashlib.sha1(content, usedforsecurity=False).hexdigest(): "a file of Caffe"}
    monkeypatch.setattr(module, "_CAFFE", known)
    assert published_weights(path, "sha256:0") == "a file of Caffe"


def test_safetensors_are_no_published_files(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file({"one": ones(1)}, path)
    assert published_weights(path, f"sha256:1378be20{'0' * 56}") is None


def test_a_file_is_compared_with_its_name() -> None:
    path = Path("googlenet-1378be20.pth")
    assert is_as_named(path, "sha256:1378be20" + "0" * 56)
    assert not is_as_named(path, "sha256:2378be20" + "0" * 56)
    assert is_as_named(Path("mine.pth"), "sha256:2378be20" + "0" * 56)


def test_downloads_are_found_in_the_cache_of_torch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    folder.mkdir(parents=True)
    (folder / "a-12345678.pth").touch()
    (folder / "notes.txt").touch()
    assert torch_downloads() == [folder / "a-12345678.pth"]
