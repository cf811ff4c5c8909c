"""ONNX files: exports of torchvision's networks, and small ones of single nodes."""

import contextlib
import io
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from render.networks.catalogue import build_network
from tests.support.seeded_networks import calibrate_norms, fill_weights, seeded_whole_network

OPSET = 20
"""The version of ONNX's operators in small files."""

Arrays = Mapping[str, np.ndarray]


def seeded(name: str) -> nn.Module:
    """A whole network of torchvision in float64, with seeded weights."""
    if name.startswith("convnext"):
        return seeded_whole_network(name)
    model = build_network(name).to_empty(device="cpu")
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.05)
    fill_weights(model)
    calibrate_norms(model)
    return model.eval().double()


def export(model: nn.Module, path: Path, side: int = 64) -> Path:
    """Write a network as ONNX, for pictures of one size, by torch's exporter that needs no other
    package. It folds batch norms into convolutions, in the network's own precision.
    """
    picture = torch.zeros(1, 3, side, side, dtype=next(model.parameters()).dtype)
    with warnings.catch_warnings(action="ignore"), contextlib.redirect_stdout(io.StringIO()):
        torch.onnx.export(
            model, (picture,), str(path), dynamo=False, input_names=["picture"],
            output_names=["scores"],
        )  # fmt: skip
    return path


def exported(name: str, folder: Path, side: int = 64) -> tuple[nn.Module, Path]:
    """A seeded network of torchvision, and its ONNX file."""
    model = seeded(name)
    return model, export(model, folder / f"{name}.onnx", side)


def small_model(
    nodes: Sequence[onnx.NodeProto],
    constants: Arrays | None = None,
    shape: Sequence[int | str] = (1, 3, 12, 10),
    metadata: Mapping[str, str] | None = None,
    opset: int = OPSET,
) -> onnx.ModelProto:
    """A model of these nodes. They read `x`, a picture; the last one's first output is its own."""
    output = nodes[-1].output[0]
    graph = helper.make_graph(
        list(nodes),
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in (constants or {}).items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)
    helper.set_model_props(model, dict(metadata or {}))
    return model


def node(operator: str, inputs: str, output: str = "y", **attributes: Any) -> onnx.NodeProto:
    """A node. inputs: names with spaces between them; `-` leaves one out."""
    names = ["" if name == "-" else name for name in inputs.split()]
    return helper.make_node(operator, names, [output], name=f"/{output}/{operator}", **attributes)


def saved(model: onnx.ModelProto, path: Path) -> Path:
    path.write_bytes(model.SerializeToString())
    return path


def small_network(folder: Path) -> Path:
    """The file of a network of three layers, with a class head of 10."""
    rng = np.random.default_rng(0)
    constants = {
        "w1": rng.normal(0, 0.3, (6, 3, 3, 3)).astype(np.float32),
        "w2": rng.normal(0, 0.3, (8, 6, 3, 3)).astype(np.float32),
        "w3": rng.normal(0, 0.3, (10, 8)).astype(np.float32),
    }
    nodes = [
        node("Conv", "x w1", "a", pads=[1, 1, 1, 1]),
        node("Relu", "a", "b"),
        node("MaxPool", "b", "c", kernel_shape=[2, 2], strides=[2, 2]),
        node("Conv", "c w2", "d", pads=[1, 1, 1, 1]),
        node("Relu", "d", "e"),
        node("GlobalAveragePool", "e", "f"),
        node("Flatten", "f", "g"),
        node("Gemm", "g w3", "scores", transB=1),
    ]
    return saved(small_model(nodes, constants, (1, 3, 32, 32)), folder / "small.onnx")
