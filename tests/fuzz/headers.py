"""Fuzzes safetensors and ONNX files: each gives a network, or an error of one line.

`python -m tests.fuzz.headers --count 20000 --seed 1`
"""

import json
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import torch
from safetensors.torch import save

from render.dream.objective import Mix, Objective
from render.engine.network_profile import profile_network
from render.errors import RenderError
from render.networks.classes import class_names
from render.networks.lenet5 import __file__ as lenet5_file
from render.networks.onnx_network import load_onnx
from render.networks.receptive_field import layer_table
from render.networks.weights import convert_to_safetensors, load_with_weights, read_weights
from render.networks.weights_metadata import read_metadata
from tests.fuzz.campaign import check_message, in_time, main
from tests.fuzz.documents import Mutator
from tests.fuzz.onnx_models import damaged_model

_TRACED = 64
"""One in so many ONNX files has its receptive fields measured, which takes long."""

_NAMES = ("__metadata__", "dtype", "shape", "data_offsets", "architecture", "classes", "licence")

_VALUES: tuple[Any, ...] = (
    "F32",
    "BF16",
    "F8_E4M3",
    "BOOL",
    "I64",
    "U8",
    "torchvision vgg16",
    [0, 4],
    [4, 0],
    [],
)


@cache
def _corpus() -> tuple[bytes, ...]:
    tensors = {
        "conv.weight": torch.zeros(2, 3, 1, 1),
        "conv.bias": torch.zeros(2, dtype=torch.float16),
        "module.count": torch.zeros((), dtype=torch.int64),
    }
    metadata = {
        "architecture": "lenet5",
        "classes": json.dumps(["a", "b"]),
        "licence": "MIT",
        "format": "pt",
    }
    real = Path(lenet5_file).with_suffix(".safetensors").read_bytes()
    return save(tensors, metadata), save(tensors), real


def make_onnx(number: int, seed: int) -> bytes:
    """A case: an ONNX file whose fields, or any of whose bytes, are changed."""
    return damaged_model(Random(f"{seed}/{number}"))


def make_any(number: int, seed: int) -> bytes:
    """A case of either kind."""
    return make_onnx(number, seed) if number % 2 else make_content(number, seed)


def make_content(number: int, seed: int) -> bytes:
    """A case: a file whose header, or any of whose bytes, is changed."""
    mutator = Mutator(f"{seed}/{number}", _NAMES, _VALUES)
    content = mutator.random.choice(_corpus())
    if number % 3 == 0:
        return mutator.content(content)
    length = int.from_bytes(content[:8], "little")
    header: Any = mutator.document(json.loads(content[8 : 8 + length]))
    text = json.dumps(header, ensure_ascii=mutator.random.random() < 0.5)
    if number % 3 == 1 and mutator.random.random() < 0.5:
        text = mutator.text(text)
    encoded = text.encode("utf-8", "surrogatepass")
    stated = len(encoded)
    if mutator.random.random() < 0.1:
        stated = mutator.random.choice((0, 1, stated - 1, stated + 1, 2**31, 2**63, 2**64 - 1))
    return (stated % 2**64).to_bytes(8, "little") + encoded + content[8 + length :]


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="fuzz-"))


def judge_onnx(content: bytes) -> str:
    """Load an ONNX file as a request would. Raises what a request must not."""
    path = _folder() / "network.onnx"
    path.write_bytes(content)
    with in_time():
        if not _attempt(lambda: load_onnx(path)):
            return "refused"
        if sum(content) % _TRACED:
            return "loaded"
        _attempt(lambda: profile_network(str(path), Mix((Objective("logits"),)), "float32"))
        _attempt(lambda: layer_table(str(path)))
        return "traced"


def judge_any(content: bytes) -> str:
    """Judge a case of either kind."""
    return judge_onnx(content) if content[:1] == b"\x08" else judge(content)


def judge(content: bytes) -> str:
    """Read a file as a request would. Raises what a request must not."""
    with in_time():
        return _read(content)


def _read(content: bytes) -> str:
    path = _folder() / "weights.safetensors"
    path.write_bytes(content)
    _attempt(lambda: read_metadata(path))
    _attempt(lambda: class_names("lenet5", path))
    if not _attempt(lambda: read_weights(path)):
        return "refused"
    _attempt(lambda: convert_to_safetensors(path, path.with_name("converted.safetensors")))
    return "loaded" if _attempt(lambda: load_with_weights("lenet5", path)) else "read"


def _attempt(act: Callable[[], object]) -> bool:
    """Whether an act succeeds. Raises what is not an error of one line."""
    try:
        act()
    except RenderError as error:
        check_message(str(error))
        return False
    return True


if __name__ == "__main__":
    sys.exit(main("headers", "tests.fuzz.headers:judge_any", make_any, 20_000))
