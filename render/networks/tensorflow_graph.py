"""Reads the constants of a frozen TensorFlow graph (`.pb`), such as inception5h's.

Such a file is a GraphDef (tensorflow, `graph.proto`, `node_def.proto`, `tensor.proto`). Only the
constants are read; no operation of the graph is run.
"""

import math

import numpy as np
import torch

from render.networks.protobuf_wire import (
    BYTES,
    WireError,
    floats,
    integers,
    messages,
    read_fields,
    text,
)

_FLOAT32 = 1  # DataType DT_FLOAT
_MAX_DIMENSIONS = 8
_MAX_REPEATED = 1 << 16  # elements of a tensor that is given as one value


def is_tensorflow_graph(data: memoryview) -> bool:
    """Whether a message has nodes as TensorFlow writes them. Raises WireError if it is damaged."""
    nodes = (inner for number, wire, _, inner in read_fields(data) if (number, wire) == (1, BYTES))
    first = next(nodes, None)
    try:
        return first is not None and bool(text(first, 1)) and bool(text(first, 2))
    except WireError:
        return False


def read_tensorflow_graph(data: memoryview) -> dict[str, torch.Tensor]:
    """Read the float constants of a graph, by the names of their nodes.

    Filters become (outputs, inputs, height, width), and matrices (outputs, inputs), as in torch.
    Raises WireError if the file is damaged.
    """
    tensors = {}
    for node in messages(data, 1):
        if text(node, 2) != "Const":
            continue
        name = text(node, 1)
        for attribute in messages(node, 5):
            if text(attribute, 1) == "value":
                for value in messages(attribute, 2):
                    for tensor in messages(value, 8):
                        if integers(tensor, 1) == [_FLOAT32]:
                            tensors[name] = _as_in_torch(_tensor(name, tensor))
    return tensors


def _tensor(name: str, tensor: memoryview) -> np.ndarray:
    shape = [
        (integers(dimension, 1) or [0])[-1]
        for inner in messages(tensor, 2)
        for dimension in messages(inner, 2)
    ]
    content = list(messages(tensor, 4))
    if content and len(content[-1]) % 4 == 0:
        values = np.frombuffer(content[-1], "<f4")
    else:
        values = floats(tensor, 5)
    count = math.prod(shape)
    if values.size == 1 and 1 < count <= _MAX_REPEATED:
        values = np.repeat(values, count)
    if len(shape) > _MAX_DIMENSIONS or values.size != count:
        sizes = "x".join(map(str, shape[:_MAX_DIMENSIONS]))
        raise WireError(f"{name} claims {sizes} values, and has {values.size}")
    return values.reshape(shape)


def _as_in_torch(values: np.ndarray) -> torch.Tensor:
    order = {4: (3, 2, 0, 1), 2: (1, 0)}.get(values.ndim, tuple(range(values.ndim)))
    return torch.from_numpy(np.ascontiguousarray(values.transpose(order), dtype=np.float32).copy())
