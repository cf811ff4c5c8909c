"""ONNX networks are prepared like all others: fixed convolutions, folded norms, narrow dtypes."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from render.determinism import deterministic_mode
from render.networks.convolution import FixedConv2d, FixedLinear, has_fixed_convolutions
from render.networks.network import prepare_network
from render.networks.onnx_network import OnnxNetwork, load_onnx
from tests.support.onnx_files import node, saved, small_model

LAST = "/y/Conv"


@pytest.fixture
def network(tmp_path: Path) -> OnnxNetwork:
    """Convolutions between operations whose results are wide, or have tensors of their own."""
    rng = np.random.default_rng(3)

    def floats(*shape: int) -> np.ndarray:
        return rng.normal(0, 1, shape).astype(np.float32)

    constants: Mapping[str, np.ndarray] = {
        "w1": floats(8, 3, 3, 3),
        "w2": floats(8, 8, 1, 1),
        "w3": floats(6, 8, 3, 3),
        "scale": floats(8, 1, 1),
        "factors": floats(8, 1, 1),
        "matrix": floats(8, 8),
        "g": floats(8),
        "b": floats(8),
        "m": floats(8),
        "v": np.abs(floats(8)) + 0.1,
    }
    nodes = [
        node("Conv", "x w1", "a", pads=[1, 1, 1, 1]),
        node("BatchNormalization", "a g b m v", "n"),
        node("Relu", "n", "r"),
        node("Mul", "r scale", "s"),
        node("Conv", "s w2", "c"),
        node("PRelu", "c factors", "p"),
        node("Transpose", "p", "t", perm=[0, 2, 3, 1]),
        node("LayerNormalization", "t g b", "l", axis=-1),
        node("MatMul", "l matrix", "q"),
        node("Transpose", "q", "u", perm=[0, 3, 1, 2]),
        node("Conv", "u w3", "y"),
    ]
    return load_onnx(saved(small_model(nodes, constants), tmp_path / "small.onnx"))


def run(network: OnnxNetwork, dtype: torch.dtype) -> tuple[nn.Module, torch.Tensor]:
    """The prepared module, and its last layer for noise, whose gradient is computed."""
    torch.manual_seed(0)
    pictures = torch.randn(1, 3, 24, 20, requires_grad=True)
    with deterministic_mode():
        prepared = prepare_network(network, (LAST,), dtype)
        found = prepared.activations(pictures)[LAST].double()
        (gradient,) = torch.autograd.grad(found.square().sum(), pictures)
    assert gradient.isfinite().all()
    assert gradient.any()
    return prepared.module, found.detach()


@pytest.mark.skipif(not has_fixed_convolutions(torch.float32), reason="a CPU without oneDNN")
def test_convolutions_are_fixed_and_norms_are_folded(network: OnnxNetwork) -> None:
    module, _ = run(network, torch.float32)
    parts = [type(part) for part in module.modules()]
    assert parts.count(FixedConv2d) == 3 + parts.count(FixedLinear) == 4
    assert not {nn.Conv2d, nn.Linear, nn.BatchNorm2d} & set(parts)


def test_bfloat16_is_near_float32(network: OnnxNetwork) -> None:
    _, wanted = run(network, torch.float32)
    _, found = run(network, torch.bfloat16)
    assert (found - wanted).norm() < 0.05 * wanted.norm()
