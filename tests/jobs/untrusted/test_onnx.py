"""ONNX files that strangers put into a store: only uploaded ones are loaded, and bad ones fail."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.onnx_files import small_network
from tests.support.untrusted_store import UntrustedStore, untrusted_spec

NOISE = {"input": {"noise": {"seed": 1}}, "size": "64x64"}


@pytest.mark.parametrize(
    "network",
    [
        "/etc/passwd.onnx",
        "../small.onnx",
        {"onnx": "/etc/passwd"},
        {"onnx": "../small.onnx"},
        {"name": "/tmp/small.onnx"},
        {"name": "onnx", "weights": "/tmp/small.onnx"},
    ],
)
def test_a_job_loads_only_uploaded_networks(untrusted: UntrustedStore, network: Any) -> None:
    line = untrusted.refused(untrusted.put(untrusted_spec({**NOISE, "network": network})))
    assert "is not an uploaded file" in line


def test_a_name_without_a_blob_is_refused(untrusted: UntrustedStore, tmp_path: Path) -> None:
    network = {"onnx": small_network(tmp_path).name}
    line = untrusted.refused(untrusted.put(untrusted_spec({**NOISE, "network": network})))
    assert "a file without a digest" in line


def test_another_file_with_its_name_is_refused(untrusted: UntrustedStore, tmp_path: Path) -> None:
    path = tmp_path / "small.onnx"
    path.write_text("not a network")
    network = {"name": "onnx", "weights": path.name}
    document, digest = {**NOISE, "network": network}, untrusted.upload(path)
    line = untrusted.refused(untrusted.put(untrusted_spec(document, weights=digest)))
    assert "network small.onnx: is no ONNX file" in line
