"""Writes weights files as Caffe and TensorFlow do."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import nn

from render.networks.caffe_layers import layer_parameters

Tensors = Mapping[str, torch.Tensor]


def varint(value: int) -> bytes:
    """A number as protobuf writes it."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def number(field: int, value: int) -> bytes:
    """A field with a number."""
    return varint(field << 3) + varint(value)


def block(field: int, content: bytes | str) -> bytes:
    """A field with bytes, a text or a message."""
    data = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(data)) + data


def file_names(model: nn.Module) -> dict[str, torch.Tensor]:
    """The tensors of a network of 2015 by their names in Caffe: `conv1/7x7_s2.weight`."""
    state = model.state_dict()
    return {f"{layer}.{kind}": state[name] for name, layer, kind in layer_parameters(model)}


def floats(tensor: torch.Tensor) -> bytes:
    """The values as little-endian float32."""
    return tensor.detach().float().contiguous().numpy().astype("<f4").tobytes()


def blob(tensor: torch.Tensor, *, old: bool = False) -> bytes:
    """A BlobProto: with four dimensions as before 2014, or with any shape."""
    if old:
        shape = [*[1] * (4 - tensor.dim()), *tensor.shape]
        sizes = b"".join(number(field, size) for field, size in enumerate(shape, 1))
    else:
        sizes = block(7, block(1, b"".join(map(varint, tensor.shape))))
    return sizes + block(5, floats(tensor))


def caffemodel(tensors: Tensors, *, old: bool = False) -> bytes:
    """A NetParameter: with V1LayerParameters in field 2, or LayerParameters in field 100."""
    layers: dict[str, list[torch.Tensor]] = {}
    for name, tensor in tensors.items():
        layers.setdefault(name.rpartition(".")[0], []).append(tensor)
    written = [block(1, "net")]
    for layer, blobs in layers.items():
        is_product = blobs[0].dim() == 2
        data = b"".join(block(6 if old else 7, blob(one, old=old)) for one in blobs)
        if old:
            kind = 14 if is_product else 4
            written.append(block(2, block(2, "in") + block(4, layer) + number(5, kind) + data))
        else:
            kind_name = "InnerProduct" if is_product else "Convolution"
            written.append(block(100, block(1, layer) + block(2, kind_name) + data))
    return b"".join(written)


def constant(name: str, values: np.ndarray) -> bytes:
    """A NodeDef of a float constant."""
    shape = b"".join(block(2, number(1, size)) for size in values.shape)
    tensor = number(1, 1) + block(2, shape) + block(4, values.astype("<f4").tobytes())
    value = block(1, "value") + block(2, block(8, tensor))
    kind = block(1, "dtype") + block(2, number(6, 1))
    return block(1, name) + block(2, "Const") + block(5, kind) + block(5, value)


def tensorflow_graph(tensors: Tensors) -> bytes:
    """A frozen GraphDef: `conv2d0.weight` becomes the constant `conv2d0_w`, filters last."""
    nodes = [block(1, "input") + block(2, "Placeholder")]
    for name, tensor in tensors.items():
        layer, _, kind = name.rpartition(".")
        order = {4: (2, 3, 1, 0), 2: (1, 0)}.get(tensor.dim(), (0,))
        nodes.append(constant(f"{layer}_{kind[0]}", tensor.numpy().transpose(order)))
    nodes.append(block(1, "output") + block(2, "Identity") + block(3, "input"))
    return b"".join(block(1, node) for node in nodes)


def filled(model: nn.Module, seed: int = 0, only: Sequence[str] = ()) -> nn.Module:
    """The network with seeded weights of a plausible size."""
    torch.manual_seed(seed)
    model.to_empty(device="cpu")
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if not only or name in only:
                parameter.normal_(0, 0.05)
    return model
