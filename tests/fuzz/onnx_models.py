"""Damaged ONNX files: bytes, and the fields of whole messages."""

from collections.abc import Callable
from functools import cache
from random import Random

import onnx
from onnx import TensorProto

from tests.fuzz.mutate import mutate
from tests.support.onnx_cases import CASES

_NUMBERS = (0, 1, -1, 2, 3, 4, 7, 255, 4096, 4097, 2**31, 2**40, -(2**40), 2**62, -(2**63))

_TEXTS = ("", "x", "y", "w", "a\nb", "\x1b[31m", "é" * 40, "..", "com.example", "SAME_UPPER")


@cache
def _corpus() -> tuple[bytes, ...]:
    return tuple(case.model.SerializeToString() for case in CASES.values())


def damaged_model(draw: Random) -> bytes:
    """A file with one to four changes."""
    content = draw.choice(_corpus())
    if draw.random() < 0.3:
        return mutate(content, draw.choice(_corpus()), draw)
    model = onnx.ModelProto()
    model.ParseFromString(content)
    for _ in range(draw.choice((1, 1, 2, 4))):
        draw.choice(_WAYS)(model, draw)
    return bytes(model.SerializeToString())


def _change_attribute(model: onnx.ModelProto, draw: Random) -> None:
    attributes = [one for node in model.graph.node for one in node.attribute]
    if not attributes:
        return
    one = draw.choice(attributes)
    if one.ints:
        one.ints[draw.randrange(len(one.ints))] = draw.choice(_NUMBERS)
    elif one.type == onnx.AttributeProto.INT:
        one.i = draw.choice(_NUMBERS)
    elif one.type == onnx.AttributeProto.FLOAT:
        one.f = draw.choice((0.0, -1.0, 1e30, float("nan"), float("inf")))
    else:
        one.s = draw.choice(_TEXTS).encode()
    if draw.random() < 0.2:
        one.type = draw.choice((1, 2, 3, 4, 5, 6, 7, 8))


def _change_attribute_length(model: onnx.ModelProto, draw: Random) -> None:
    lists = [one.ints for node in model.graph.node for one in node.attribute if one.ints]
    if lists:
        chosen = draw.choice(lists)
        chosen.append(draw.choice(_NUMBERS)) if draw.random() < 0.5 else chosen.pop()


def _drop_attribute(model: onnx.ModelProto, draw: Random) -> None:
    node = draw.choice(model.graph.node)
    if node.attribute:
        del node.attribute[draw.randrange(len(node.attribute))]


def _change_shape(model: onnx.ModelProto, draw: Random) -> None:
    if model.graph.initializer:
        tensor = draw.choice(model.graph.initializer)
        tensor.dims[:] = [*tensor.dims, draw.choice(_NUMBERS)][draw.randrange(2) :]


def _change_values(model: onnx.ModelProto, draw: Random) -> None:
    whole = [one for one in model.graph.initializer if one.data_type == TensorProto.INT64]
    if whole:
        tensor = draw.choice(whole)
        number = draw.choice(_NUMBERS).to_bytes(8, "little", signed=True)
        tensor.raw_data = number + tensor.raw_data[8:]


def _change_type(model: onnx.ModelProto, draw: Random) -> None:
    if model.graph.initializer:
        draw.choice(model.graph.initializer).data_type = draw.randrange(25)


def _change_input(model: onnx.ModelProto, draw: Random) -> None:
    sides = model.graph.input[0].type.tensor_type.shape.dim
    draw.choice(sides).dim_value = draw.choice(_NUMBERS)


def _change_operator(model: onnx.ModelProto, draw: Random) -> None:
    operators = sorted({node.op_type for case in CASES.values() for node in case.nodes})
    draw.choice(model.graph.node).op_type = draw.choice((*operators, "Loop", "Custom\n"))


def _change_name(model: onnx.ModelProto, draw: Random) -> None:
    node = draw.choice(model.graph.node)
    if draw.random() < 0.5 and node.input:
        node.input[draw.randrange(len(node.input))] = draw.choice(_TEXTS)
    elif draw.random() < 0.5:
        node.name = draw.choice(_TEXTS)
    else:
        node.output[0] = draw.choice(_TEXTS)


def _change_domain(model: onnx.ModelProto, draw: Random) -> None:
    draw.choice(model.graph.node).domain = draw.choice(_TEXTS)


def _repeat_node(model: onnx.ModelProto, draw: Random) -> None:
    model.graph.node.append(draw.choice(model.graph.node))


def _drop_node(model: onnx.ModelProto, draw: Random) -> None:
    if len(model.graph.node) > 1:
        del model.graph.node[draw.randrange(len(model.graph.node))]


_WAYS: tuple[Callable[[onnx.ModelProto, Random], None], ...] = (
    _change_attribute,
    _change_attribute_length,
    _drop_attribute,
    _change_shape,
    _change_values,
    _change_type,
    _change_input,
    _change_operator,
    _change_name,
    _change_domain,
    _repeat_node,
    _drop_node,
)
