"""ONNX files that are no networks, or not whole: one line, and nothing is allocated for them."""

import os
import pickle
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from onnx.external_data_helper import convert_model_to_external_data

from render.errors import LayerError, NetworkError, WeightsError
from render.networks.graph import trace
from render.networks.normalisation import CONVENTION_ATTRIBUTE
from render.networks.onnx_file import load_model, split_files, write_joined
from render.networks.onnx_network import load_onnx
from render.networks.receptive_field import layer_grid
from render.networks.weights import load_with_weights
from tests.support.malicious_files import Trap
from tests.support.onnx_files import node, saved, small_model, small_network
from tests.support.weight_files import varint

MEBIBYTE = 1 << 20


def refusal(path: Path) -> str:
    with pytest.raises(NetworkError) as refused:
        load_onnx(path)
    message = str(refused.value)
    assert message.startswith(f"network {path}: ")
    assert "\n" not in message
    return message


def huge(model: onnx.ModelProto) -> onnx.ModelProto:
    model.graph.initializer[0].dims[:] = [1_000_000, 1_000_000]
    return model


def negative(model: onnx.ModelProto) -> onnx.ModelProto:
    model.graph.initializer[0].dims[:] = [-1, -648]
    return model


def other_type(model: onnx.ModelProto) -> onnx.ModelProto:
    model.graph.initializer[0].data_type = TensorProto.STRING
    return model


def cyclic(model: onnx.ModelProto) -> onnx.ModelProto:
    model.graph.node[1].input[0] = "e"
    return model


def made_twice(model: onnx.ModelProto) -> onnx.ModelProto:
    model.graph.node[4].output[0] = "b"
    return model


def custom(model: onnx.ModelProto) -> onnx.ModelProto:
    model.graph.node[1].domain = "com.example"
    return model


def unknown(model: onnx.ModelProto) -> onnx.ModelProto:
    model.graph.node[1].op_type = "NonMaxSuppression"
    return model


def loop(model: onnx.ModelProto) -> onnx.ModelProto:
    model.graph.node[1].op_type = "Loop"
    model.graph.node[1].attribute.add(name="body", type=onnx.AttributeProto.GRAPH)
    return model


def two_inputs(model: onnx.ModelProto) -> onnx.ModelProto:
    model.graph.input.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, [1]))
    return model


def of_text(model: onnx.ModelProto) -> onnx.ModelProto:
    model.graph.input[0].type.tensor_type.shape.dim.pop()
    return model


def five_channels(model: onnx.ModelProto) -> onnx.ModelProto:
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 5
    return model


def endless_padding(model: onnx.ModelProto) -> onnx.ModelProto:
    model.graph.node[0].attribute[0].ints[:] = [2**40] * 4
    return model


def endless_kernel(model: onnx.ModelProto) -> onnx.ModelProto:
    model.graph.node[2].attribute[0].ints[:] = [2**40, 1]
    return model


def without_effect(model: onnx.ModelProto) -> onnx.ModelProto:
    model.graph.output[0].name = "w1"
    return model


def other_convention(model: onnx.ModelProto) -> onnx.ModelProto:
    helper.set_model_props(model, {"input_convention": "cafe"})
    return model


def growing(model: onnx.ModelProto) -> onnx.ModelProto:
    sizes = helper.make_tensor("s", TensorProto.INT64, [2], [10**6, 10**6])
    model.graph.initializer.append(sizes)
    model.graph.node.insert(0, node("ConstantOfShape", "s", "filled"))
    return model


DAMAGES: dict[str, tuple[Callable[[onnx.ModelProto], onnx.ModelProto], str]] = {
    "10^12 elements": (huge, "tensor w1 declares 1000000000000 values, and has"),
    "negative sides": (negative, "tensor w1 declares"),
    "text as weights": (other_type, "tensor w1 has values of the type 8"),
    "a circle": (cyclic, "node /b/Relu (Relu) reads e, which no node before it makes"),
    "two of a name": (made_twice, "two nodes make b"),
    "a custom operator": (custom, "node /b/Relu has the operator Relu of com.example"),
    "an operator that is not translated": (unknown, "(NonMaxSuppression) is not translated"),
    "a loop": (loop, "(Loop) is not translated"),
    "two inputs": (two_inputs, "it has 2 inputs (x, z)"),
    "three dimensions": (of_text, "its input x has 3 dimensions"),
    "five channels": (five_channels, "its input x is 1x5x32x32, not a picture of one or three"),
    "an endless padding": (endless_padding, "has the padding"),
    "an endless kernel": (endless_kernel, "lengths of 1 to 4096 are expected"),
    "a constant output": (without_effect, "its output w1 does not depend on the picture"),
    "an unknown convention": (
        other_convention,
        "input_convention cafe is not known (nearest: caffe",
    ),
    "an endless constant": (growing, "makes 1000000000000 numbers of 2"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_networks_are_refused(tmp_path: Path, damage: str) -> None:
    change, told = DAMAGES[damage]
    path = small_network(tmp_path)
    assert told in refusal(saved(change(onnx.load(path)), path))


FILES = {
    "empty": b"",
    "text": b"not a network\n",
    "a zip": b"PK\x03\x04" + bytes(100),
    "zeros": bytes(1000),
    "a length of 2^63": b"\x08\x09\x3a" + varint(2**63) + bytes(100),
    "a message in messages": b"\x08\x09" + b"\x3a\x02\x0a\x7f",
    "no graph": b"\x08\x09\x12\x03abc",
}


@pytest.mark.parametrize("kind", FILES)
def test_other_files_are_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "other.onnx"
    path.write_bytes(FILES[kind])
    refusal(path)


def test_a_pickle_is_refused_and_not_run(tmp_path: Path) -> None:
    trap, path = Trap(tmp_path / "ran"), tmp_path / "pickle.onnx"
    path.write_bytes(pickle.dumps(trap))
    refusal(path)
    assert not trap.path.exists()


def test_a_truncated_file_is_refused_at_every_length(tmp_path: Path) -> None:
    path = small_network(tmp_path)
    content = path.read_bytes()
    for length in range(0, len(content), 97):
        path.write_bytes(content[:length])
        refusal(path)


def test_nothing_is_allocated_for_a_false_size(tmp_path: Path) -> None:
    path = small_network(tmp_path)
    saved(huge(onnx.load(path)), path)
    refusal(path)
    tracemalloc.start()
    refusal(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 4 * MEBIBYTE


def test_millions_of_nodes_are_refused(tmp_path: Path) -> None:
    nodes = b"\x0a\x00" * 110_000
    path = tmp_path / "many.onnx"
    path.write_bytes(b"\x08\x09\x3a" + varint(len(nodes)) + nodes)
    assert "more than 100000 nodes" in refusal(path)


def split(folder: Path, location: str = "small.data") -> Path:
    path = small_network(folder)
    model = onnx.load(path)
    convert_model_to_external_data(model, location=location, size_threshold=0)
    onnx.save(model, path)
    return path


def test_tensors_in_another_file_are_read(tmp_path: Path) -> None:
    plain = load_onnx(small_network(tmp_path)).state_dict()
    path = split(tmp_path)
    assert split_files(path) == [tmp_path / "small.data"]
    found = load_onnx(path).state_dict()
    assert all(torch.equal(found[name], value) for name, value in plain.items())


def test_files_are_joined(tmp_path: Path) -> None:
    path, target = split(tmp_path), tmp_path / "made" / "joined.onnx"
    write_joined(path, target)
    assert not split_files(target)
    assert load_model(target) == load_model(path)
    once = target.read_bytes()
    write_joined(path, target)
    assert target.read_bytes() == once


def set_entry(path: Path, key: str, value: str) -> None:
    model = onnx.load(path, load_external_data=False)
    for entry in model.graph.initializer[0].external_data:
        if entry.key == key:
            entry.value = value
    saved(model, path)


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("location", "/etc/passwd", "is in '/etc/passwd', which is not a file beside it"),
        ("location", "../small.data", "which is not a file beside it"),
        ("location", "..", "which is not a file beside it"),
        ("location", "none.data", "cannot be read (No such file or directory)"),
        ("offset", "-4", "in small.data"),
        ("offset", "999999", "lies beyond the end of small.data"),
        ("length", "999999999999", "has 999999999999 bytes in small.data, not 648"),
        ("length", "x", "invalid literal"),
    ],
)
def test_tensors_outside_their_file_are_refused(
    tmp_path: Path, key: str, value: str, told: str
) -> None:
    path = split(tmp_path)
    set_entry(path, key, value)
    with pytest.raises(NetworkError) as refused:
        load_onnx(path)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_tensor_in_a_pipe_is_refused(tmp_path: Path) -> None:
    path = split(tmp_path)
    set_entry(path, "location", "pipe")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NetworkError, match="is a pipe"):
        load_onnx(path)


def test_layers_have_the_names_of_nodes_and_the_nearest_are_named(tmp_path: Path) -> None:
    path = small_network(tmp_path)
    network = load_onnx(path)
    names = ["/a/Conv", "/b/Relu", "/c/MaxPool", "/d/Conv", "/e/Relu"]
    assert list(trace(network).names.values())[:5] == names
    assert layer_grid(network, str(path), ("/e/Relu",)).field == 8
    with pytest.raises(LayerError) as refused:
        layer_grid(network, str(path), ("/d/Conf",))
    told = f"layer /d/Conf of {path}: no such layer; nearest: /d/Conv, /a/Conv"
    assert str(refused.value) == told


def test_a_block_is_its_last_layer(tmp_path: Path) -> None:
    network = load_onnx(small_network(tmp_path))
    assert layer_grid(network, "small", ("/e",)).field == 8


def test_nodes_without_names_have_those_of_their_outputs(tmp_path: Path) -> None:
    path = small_network(tmp_path)
    model = onnx.load(path)
    for one in model.graph.node:
        one.name = ""
    assert list(trace(load_onnx(saved(model, path))).names.values())[:3] == ["a", "b", "c"]


def test_a_layer_after_a_global_operation_is_refused(tmp_path: Path) -> None:
    path = small_network(tmp_path)
    with pytest.raises(LayerError) as refused:
        layer_grid(load_onnx(path), str(path), ("/f/GlobalAveragePool",))
    assert str(refused.value) == (
        f"layer /f/GlobalAveragePool of {path}: has no exact tiles, because /f/GlobalAveragePool "
        "averages over the whole picture; the deepest that has is /e/Relu"
    )


def test_the_input_convention_is_that_of_the_metadata(tmp_path: Path) -> None:
    path = small_network(tmp_path)
    model = onnx.load(path)
    assert getattr(load_onnx(path), CONVENTION_ATTRIBUTE) == "torchvision"
    helper.set_model_props(model, {"input_convention": "unit"})
    network = load_onnx(saved(model, path))
    white = (torch.ones(3) - torch.tensor([0.485, 0.456, 0.406])) / torch.tensor(
        [0.229, 0.224, 0.225]
    )
    traced = trace(network)
    first = next(one for one in traced.graph.graph.nodes if one.op == "call_module")
    seen = traced.graph.get_submodule(str(first.target))(white[None, :, None, None])
    torch.testing.assert_close(seen, torch.ones(1, 3, 1, 1))


def test_a_convention_for_other_channels_is_refused(tmp_path: Path) -> None:
    path = small_network(tmp_path)
    model = onnx.load(path)
    helper.set_model_props(model, {"input_convention": "grey"})
    assert "grey is not one for 3 channels" in refusal(saved(model, path))


def test_an_onnx_file_is_no_weights_file(tmp_path: Path) -> None:
    path = small_network(tmp_path)
    with pytest.raises(WeightsError, match="an ONNX file, which has a network of its own"):
        load_with_weights("squeezenet1_1", path)


def test_a_constant_for_one_size_is_refused(tmp_path: Path) -> None:
    """It would not fit a tile."""
    constants = {"c": np.zeros((1, 3, 12, 10), np.float32)}
    path = saved(small_model([node("Add", "x c")], constants), tmp_path / "sized.onnx")
    assert "(Add) has a constant that differs from place to place" in refusal(path)


@pytest.mark.parametrize(
    ("nodes", "constants", "told"),
    [
        ([node("Slice", "x s e a")], {"s": [0], "e": [5], "a": [2]}, "at a fixed size"),
        ([node("Reshape", "x s")], {"s": [1, 3, 6, 2, 10]}, "takes rows and columns apart"),
        ([node("Transpose", "x", perm=[1, 0, 2, 3])], {}, "the batch must stay first"),
        ([node("ReduceMean", "x a")], {"a": [2]}, "averages over the axes [2]"),
        ([node("Softmax", "x", "s"), node("MatMul", "s m")], {"m": [1]}, "multiplies"),
        (
            [node("Resize", "x - s")],
            {"s": np.array([1, 1, 1.5, 2], np.float32)},
            "only whole factors",
        ),
        ([node("LRN", "x", size=4)], {}, "it must be odd"),
        (
            [node("AveragePool", "x", kernel_shape=[3, 3], pads=[0, 0, 1, 1])],
            {},
            "an uneven padding",
        ),
    ],
)
def test_what_fits_one_size_only_is_refused(
    tmp_path: Path,
    nodes: list[onnx.NodeProto],
    constants: dict[str, list[int] | np.ndarray],
    told: str,
) -> None:
    arrays = {name: np.asarray(values) for name, values in constants.items()}
    assert told in refusal(saved(small_model(nodes, arrays), tmp_path / "refused.onnx"))
