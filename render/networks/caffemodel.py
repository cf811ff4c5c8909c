"""Reads weights files of Caffe (`.caffemodel`), in both formats of layers.

Such a file is a NetParameter (BVLC/caffe, `caffe.proto`). Since 2014 its layers are in field 100;
before that they were in field 2, as V1LayerParameter. Only names, types and blobs are read.
"""

import math
from dataclasses import dataclass

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

_MAX_DIMENSIONS = 8
_KINDS = ("weight", "bias")


@dataclass(frozen=True)
class _Format:
    """Field numbers of a layer. products: the types of layers that multiply by a matrix."""

    layers: int
    name: int
    kind: int
    blobs: int


_OLD = _Format(layers=2, name=4, kind=5, blobs=6)
_NEW = _Format(layers=100, name=1, kind=2, blobs=7)
_OLD_INNER_PRODUCT = 14
_NEW_INNER_PRODUCT = "InnerProduct"


def is_caffemodel(data: memoryview) -> bool:
    """Whether a message has layers as Caffe writes them. Raises WireError if it is damaged."""
    formats = {_OLD.layers, _NEW.layers}
    return any(number in formats and wire == BYTES for number, wire, _, _ in read_fields(data))


def read_caffemodel(data: memoryview) -> dict[str, torch.Tensor]:
    """Read the tensors of a file: `<layer>.weight`, `<layer>.bias`, then `<layer>.blob2` and on.

    Raises WireError if the file is damaged.
    """
    tensors: dict[str, torch.Tensor] = {}
    for form in (_OLD, _NEW):
        for layer in messages(data, form.layers):
            name = text(layer, form.name)
            for index, blob in enumerate(messages(layer, form.blobs)):
                kind = _KINDS[index] if index < len(_KINDS) else f"blob{index}"
                full = f"{name}.{kind}"
                if full in tensors:
                    raise WireError(f"two layers are called {name}")
                shape = _shape(blob, kind, _is_product(layer, form))
                tensors[full] = _tensor(full, blob, shape)
    return tensors


def _is_product(layer: memoryview, form: _Format) -> bool:
    if form is _NEW:
        return text(layer, form.kind) == _NEW_INNER_PRODUCT
    return integers(layer, form.kind) == [_OLD_INNER_PRODUCT]


def _shape(blob: memoryview, kind: str, is_product: bool) -> list[int]:
    """The shape of a blob. Old ones have four dimensions always: without those that are extra."""
    shapes = [integers(shape, 1) for shape in messages(blob, 7)]
    if shapes:
        return shapes[-1]
    old = [(integers(blob, number) or [0])[-1] for number in (1, 2, 3, 4)]
    extra = 3 if kind == "bias" else 2 if is_product else 0
    return old[extra:] if all(size == 1 for size in old[:extra]) else old


def _tensor(name: str, blob: memoryview, shape: list[int]) -> torch.Tensor:
    values = floats(blob, 5)
    if not values.size:
        values = floats(blob, 8, double=True)
    if len(shape) > _MAX_DIMENSIONS or math.prod(shape) != values.size or not values.size:
        sizes = "x".join(map(str, shape[:_MAX_DIMENSIONS]))
        raise WireError(f"{name} claims {sizes or 'no'} values, and has {values.size}")
    return torch.from_numpy(np.ascontiguousarray(values.reshape(shape)))
