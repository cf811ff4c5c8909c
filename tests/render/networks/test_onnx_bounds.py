"""Small ONNX files that would become large: they are refused before anything is allocated."""

from pathlib import Path

import numpy as np
import pytest

from render.errors import NetworkError
from render.networks.onnx_network import load_onnx
from tests.support.onnx_files import node, saved, small_model
from tests.support.weight_files import block

MANY = 1_000_000

GRAPH, FUNCTION = 7, 25  # of ModelProto

FILES = {
    "attributes": block(GRAPH, block(1, b"\x2a\x00" * MANY)),
    "metadata of a node": block(GRAPH, block(1, b"\x4a\x00" * MANY)),
    "types of values": block(GRAPH, b"\x6a\x00" * MANY),
    "entries of a tensor": block(GRAPH, block(5, b"\x6a\x00" * MANY)),
    "graphs in an attribute": block(GRAPH, block(1, block(5, b"\x5a\x00" * MANY))),
    "metadata": block(GRAPH, b"") + b"\x72\x00" * MANY,
}
"""A file has a million messages of two bytes; each takes 40 to 800 bytes when it is parsed."""

DEEP_FILES = {
    "nodes of a loop": block(GRAPH, block(1, block(5, block(6, b"\x0a\x00" * 3 * MANY)))),
    "dimensions": block(GRAPH, block(13, block(2, b"\x0a\x00" * 3 * MANY))),
    "nodes of a function": block(GRAPH, b"") + block(FUNCTION, b"\x3a\x00" * 3 * MANY),
}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        *(
            (content, "more than 100000 nodes, attributes and tensors")
            for content in FILES.values()
        ),
        *((content, "more than 4194304 bytes of functions") for content in DEEP_FILES.values()),
    ],
    ids=[*FILES, *DEEP_FILES],
)
def test_small_messages_by_the_million_are_refused(
    tmp_path: Path, content: bytes, told: str
) -> None:
    path = tmp_path / "many.onnx"
    path.write_bytes(b"\x08\x09" + content)
    with pytest.raises(NetworkError, match=told):
        load_onnx(path)


def test_a_tensor_counts_for_each_layer_that_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("render.networks.onnx_builder._MAX_WEIGHTS", 1000)
    nodes = [node("Conv", "x w", "a"), *(node("Conv", "a v", f"b{k}") for k in range(3))]
    constants = {
        "w": np.zeros((10, 3, 1, 1), np.float32),
        "v": np.zeros((40, 10, 1, 1), np.float32),
    }
    load_onnx(saved(small_model(nodes[:3], constants), tmp_path / "two.onnx"))
    path = saved(small_model(nodes, constants), tmp_path / "three.onnx")
    with pytest.raises(NetworkError, match="its layers have more than 1000 weights"):
        load_onnx(path)
