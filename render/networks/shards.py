"""Safetensors in several files, with an index: `model.safetensors.index.json`.

The index is a JSON object whose `weight_map` names the file of each tensor. The files lie beside
it.
"""

import json
import re
from pathlib import Path

from render.input_file import open_input_file
from render.networks.safetensors_header import MAX_HEADER_BYTES, is_safetensors

_MAP = "weight_map"

_START = re.compile(rb'\s*\{\s*["}]')
"""A file of Caffe or TensorFlow can begin with a line feed and a brace, but then has no name."""


def is_shard_index(path: Path) -> bool:
    """Whether a file begins as a JSON object. Raises OSError if it cannot be read."""
    with open_input_file(path) as file:
        return _START.match(file.read(64)) is not None


def read_shard_index(path: Path) -> list[Path]:
    """Return the files of an index, sorted.

    Raises ValueError if it is no index, names files elsewhere, or names other files than
    safetensors. Raises OSError if a file cannot be read.
    """
    with open_input_file(path) as file:
        text = file.read(MAX_HEADER_BYTES + 1)
    if len(text) > MAX_HEADER_BYTES:
        raise ValueError(f"its index is longer than {MAX_HEADER_BYTES} bytes")
    try:
        content = json.loads(text)
    except RecursionError as error:
        raise ValueError("its JSON is nested too deeply") from error
    names = content.get(_MAP) if isinstance(content, dict) else None
    if not isinstance(names, dict) or not names:
        raise ValueError(f"it is JSON without a {_MAP}, so no index of safetensors")
    shards = []
    for name in sorted({str(name) for name in names.values()}):
        if Path(name).name != name or name in (".", ".."):
            raise ValueError(f"its index names {name!r}, which is not a file beside it")
        shard = path.parent / name
        if not is_safetensors(shard):
            raise ValueError(f"{name}, which its index names, is not a safetensors file")
        shards.append(shard)
    return shards
