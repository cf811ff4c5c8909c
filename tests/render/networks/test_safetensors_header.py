"""The header of a .safetensors file is checked before it is parsed."""

import json
import resource
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from render.errors import WeightsError
from render.networks import weights
from render.networks.safetensors_header import MAX_HEADER_BYTES, check_header
from render.networks.weights import read_weights
from render.networks.weights_metadata import WeightsMetadata, read_metadata
from tests.support.malicious_files import GIGABYTE, write_long_header


def saved(path: Path, header: object, data: bytes = b"") -> Path:
    """Write a file with this header."""
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


@pytest.mark.parametrize("length", [MAX_HEADER_BYTES + 1, GIGABYTE])
def test_a_too_long_header_is_not_parsed(
    tmp_path: Path, length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_long_header(tmp_path / "w.safetensors", length)

    def parsed(*_: object, **__: object) -> None:
        raise AssertionError("the library was asked")

    monkeypatch.setattr(weights, "load_file", parsed)
    monkeypatch.setattr("safetensors.safe_open", parsed)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for read in (read_weights, read_metadata):
        with pytest.raises(WeightsError, match=rf"header claims {length} bytes") as refused:
            read(path)
        assert str(refused.value).startswith(f"weights {path}: cannot be read (")
        assert "\n" not in str(refused.value)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10, "kilobytes"


def test_a_header_longer_than_its_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(GIGABYTE.to_bytes(8, "little") + b"{}")
    with pytest.raises(WeightsError, match="claims 1073741824 bytes, and the file has 2"):
        check_header(path)
    path.write_bytes(b"\xff\xff")
    with pytest.raises(WeightsError, match="claims 65535 bytes, and the file has 0"):
        check_header(path)


def test_a_valid_file_passes(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file({"a": torch.ones(3)}, path)
    check_header(path)
    assert read_weights(path)["a"].tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    "tensor",
    [
        {"dtype": "F32", "shape": [4], "data_offsets": [0, 4 << 40]},
        {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 16]},
        {"dtype": "F32", "shape": [1 << 62, 4], "data_offsets": [0, 16]},
        {"dtype": "F32", "shape": [4], "data_offsets": [16, 0]},
        {"dtype": "F32", "shape": [4], "data_offsets": [-16, 0]},
        {"dtype": "pickle", "shape": [4], "data_offsets": [0, 16]},
    ],
)
def test_tensors_outside_the_file_are_refused(tmp_path: Path, tensor: dict[str, object]) -> None:
    path = saved(tmp_path / "w.safetensors", {"a": tensor}, bytes(16))
    for read in (read_weights, read_metadata):
        with pytest.raises(WeightsError, match="cannot be read") as refused:
            read(path)
        assert "\n" not in str(refused.value)


def test_too_deeply_nested_names_are_ignored(tmp_path: Path) -> None:
    said = {"classes": "[" * 200_000}
    path = saved(tmp_path / "w.safetensors", {"__metadata__": said})
    assert read_metadata(path) == WeightsMetadata()


def test_every_network_fits_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file({f"layer.{number}.weight": torch.zeros(1) for number in range(10_000)}, path)
    assert int.from_bytes(path.read_bytes()[:8], "little") * 10 < MAX_HEADER_BYTES
    assert read_metadata(path) == WeightsMetadata()
