"""Files of Caffe and TensorFlow give the tensors that were written; damaged ones are refused."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

from render.errors import RenderError, WeightsError
from render.networks.catalogue import build_network
from render.networks.network import load_network
from render.networks.protobuf_wire import WireError, floats, integers, read_fields, text
from render.networks.weights import convert_to_safetensors, load_with_weights, read_weights
from render.networks.weights_metadata import read_metadata
from tests.support.weight_files import (
    block,
    caffemodel,
    constant,
    file_names,
    filled,
    number,
    tensorflow_graph,
    varint,
)

Tensors = dict[str, torch.Tensor]


def same(found: Tensors, wanted: Tensors) -> bool:
    return found.keys() == wanted.keys() and all(
        found[name].shape == wanted[name].shape and torch.equal(found[name], wanted[name])
        for name in wanted
    )


@pytest.mark.parametrize("old", [True, False], ids=["V1LayerParameter", "LayerParameter"])
@pytest.mark.parametrize("name", ["bvlc_googlenet", "googlenet_places365", "caffe_lenet"])
def test_caffemodels_round_trip(tmp_path: Path, name: str, old: bool) -> None:
    model = filled(build_network(name))
    tensors, path = file_names(model), tmp_path / "weights"
    path.write_bytes(caffemodel(tensors, old=old))
    assert same(read_weights(path), tensors)
    loaded = load_with_weights(name, path)
    assert same(loaded.state_dict(), model.state_dict())


def test_tensorflow_graphs_round_trip(tmp_path: Path) -> None:
    model, path = filled(build_network("inception5h")), tmp_path / "graph.pb"
    path.write_bytes(tensorflow_graph(file_names(model)))
    assert same(load_with_weights("inception5h", path).state_dict(), model.state_dict())


def test_a_first_message_of_123_bytes_is_not_taken_for_json(tmp_path: Path) -> None:
    node, path = block(1, "input") + block(2, "Placeholder"), tmp_path / "graph.pb"
    node += block(3, "a" * (123 - len(node) - 2))
    graph = tensorflow_graph({"a.weight": torch.ones(2, 3)})
    path.write_bytes(block(1, node) + graph)
    assert path.read_bytes().startswith(b"\n{\n")
    assert [one.shape for one in read_weights(path).values()] == [(2, 3)]


def test_side_branches_of_caffe_are_left_out(tmp_path: Path) -> None:
    model, path = filled(build_network("bvlc_googlenet")), tmp_path / "w.caffemodel"
    branches = {
        "loss1/conv.weight": torch.zeros(128, 512, 1, 1),
        "loss1/conv.bias": torch.ones(128),
    }
    path.write_bytes(caffemodel(file_names(model) | branches))
    assert same(load_with_weights("bvlc_googlenet", path).state_dict(), model.state_dict())


def neural_dream(layer: str, kind: str) -> str:
    """Names in ProGamerGov's conversions: of Caffe's networks, and of inception5h."""
    if layer == "softmax2":
        return f"softmax2_pre_activation_matmul.{kind}"
    if layer == "loss3/classifier":
        return f"loss3_classifier_1.{kind}"
    return f"{layer.replace('/', '_')}.{kind}"


@pytest.mark.parametrize("name", ["bvlc_googlenet", "googlenet_places205", "inception5h"])
def test_conversions_to_pytorch_are_read(tmp_path: Path, name: str) -> None:
    model, path = filled(build_network(name)), tmp_path / "converted.pth"
    suffix = "_pre_relu_conv" if name == "inception5h" else ""
    converted = {}
    for full, tensor in file_names(model).items():
        layer, _, kind = full.rpartition(".")
        layer += "" if layer in ("softmax2", "loss3/classifier") else suffix
        converted[neural_dream(layer, kind)] = tensor
    torch.save(converted, path)
    assert same(load_with_weights(name, path).state_dict(), model.state_dict())


def test_caffes_vgg_is_read_with_its_convention(tmp_path: Path) -> None:
    names = iter(["conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1", "conv3_2", "conv3_3"])
    state = build_network("vgg16").state_dict()
    features = [n.removesuffix(".weight") for n in state if n.endswith("weight")][:7]
    tensors = {n: torch.zeros(v.shape) for n, v in state.items() if n.startswith("features")}
    for layer, other in zip(features, names, strict=True):
        for kind in ("weight", "bias"):
            tensors[f"{other}.{kind}"] = tensors.pop(f"{layer}.{kind}") + 1
    path = tmp_path / "vgg.caffemodel"
    rest = {f"conv{n}.{k}": tensors.pop(f"features.{i}.{k}") for n, i in REST for k in KINDS}
    path.write_bytes(caffemodel(tensors | rest, old=True))
    loaded = load_with_weights("vgg16", path)
    assert loaded.input_convention == "caffe_vgg"
    assert float(loaded.state_dict()["features.14.weight"].min()) == 1
    assert float(loaded.state_dict()["features.17.weight"].max()) == 0


KINDS = ("weight", "bias")
REST = [("4_1", 17), ("4_2", 19), ("4_3", 21), ("5_1", 24), ("5_2", 26), ("5_3", 28)]


def test_conversions_keep_the_network(tmp_path: Path) -> None:
    """A store gets a .safetensors; it gives the same activations, in the same convention."""
    model, path = filled(build_network("caffe_lenet")), tmp_path / "lenet.caffemodel"
    path.write_bytes(caffemodel(file_names(model)))
    convert_to_safetensors(path, tmp_path / "lenet.safetensors")
    x = torch.randn(1, 3, 40, 40)
    seen = [
        load_network("caffe_lenet", one, ("conv2",)).activations(x)["conv2"]
        for one in (path, tmp_path / "lenet.safetensors")
    ]
    assert torch.equal(*seen)


def test_metadata_states_the_convention(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    state = filled(build_network("squeezenet1_1")).state_dict()
    path = tmp_path / "w.safetensors"
    save_file(state, path, {"input_convention": "caffe"})
    assert read_metadata(path).input_convention == "caffe"
    assert load_with_weights("squeezenet1_1", path).input_convention == "caffe"
    save_file(state, path, {"input_convention": "cafe"})
    with pytest.raises(WeightsError, match="input convention cafe: no such one; nearest: caffe"):
        load_with_weights("squeezenet1_1", path)
    convert_to_safetensors(path, tmp_path / "copy.safetensors")
    assert load_file(tmp_path / "copy.safetensors").keys() == state.keys()


LENET = caffemodel(file_names(filled(build_network("caffe_lenet"))))
HUGE = varint(2**63)
SHAPE_2_63 = block(7, block(1, varint(2**62) + varint(4)))


def layer(blobs: bytes) -> bytes:
    return block(100, block(1, "conv1") + block(2, "Convolution") + blobs)


BAD: dict[str, tuple[bytes, str]] = {
    "cut": (LENET[:-100], "claims .* bytes, and .* are left"),
    "cut in a number": (LENET[:1], "a number does not end"),
    "a length of 2^63": (block(1, "x") + varint(100 << 3 | 2) + HUGE, "claims 9223372036854775808"),
    "an endless number": (b"\x0a" + b"\xff" * 20, "a number does not end"),
    "field 0": (block(1, "x") + b"\x02\x00", "the number 0"),
    "a group": (block(1, "x") + varint(5 << 3 | 3), "unknown type 3"),
    "a custom message": (
        block(1, "x") + block(200, b"anything"),
        "neither a safetensors nor a PyT",
    ),
    "a shape of 2^64": (layer(block(7, SHAPE_2_63 + block(5, b"\0" * 8))), "claims .* and has 2"),
    "too few values": (
        layer(block(7, block(7, block(1, varint(9))) + block(5, b"\0" * 8))),
        "conv1.weight claims 9 values, and has 2",
    ),
    "half a value": (layer(block(7, block(5, b"\0" * 7))), "field 5 is not a list of floats"),
    "numbers for bytes": (block(1, "x") + block(100, number(7, 3)), "field 7 has the type 0"),
    "two layers of a name": (
        layer(block(7, block(7, block(1, varint(1))) + block(5, b"\0" * 4))) * 2,
        "two layers are called conv1",
    ),
    "another network": (
        caffemodel({"conv9.weight": torch.zeros(2, 2), "conv9.bias": torch.zeros(2)}),
        "conv1.weight is missing; .*; name the network",
    ),
    "another shape": (
        caffemodel(file_names(build_network("caffe_lenet").to_empty(device="cpu"))).replace(
            block(1, b"\x14\x01\x05\x05"), block(1, b"\x14\x05\x05\x01")
        ),
        "conv1.weight is 20x5x5x1, not 20x1x5x5",
    ),
    "a graph of TensorFlow": (
        block(1, block(1, "a") + block(2, "Add")) + block(1, constant("b", np.zeros((2, 2)))),
        "conv1.weight is missing",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_damaged_files_are_refused_in_one_line(tmp_path: Path, kind: str) -> None:
    content, message = BAD[kind]
    path = tmp_path / "weights"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=message) as refused:
        load_with_weights("caffe_lenet", path)
    assert str(refused.value).startswith(f"weights {path}: ")
    assert "\n" not in str(refused.value)


def graph_with(shape: bytes, values: bytes) -> bytes:
    tensor = number(1, 1) + block(2, shape) + values
    value = block(1, "value") + block(2, block(8, tensor))
    return block(1, block(1, "conv2d0_w") + block(2, "Const") + block(5, value))


@pytest.mark.parametrize("values", [block(4, b"\0" * 4), block(5, b"\0" * 4), b""])
def test_absurd_shapes_allocate_nothing(tmp_path: Path, values: bytes) -> None:
    path = tmp_path / "graph.pb"
    path.write_bytes(graph_with(block(2, number(1, 10**6)) * 2, values))
    tracemalloc.start()
    with pytest.raises(WeightsError, match="conv2d0_w claims 1000000x1000000 values, and has"):
        load_with_weights("inception5h", path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000


MUTATIONS: dict[str, bytes] = {
    "caffemodel": caffemodel({"a.weight": torch.ones(2, 3), "a.bias": torch.ones(2)}),
    "old": caffemodel({"a.weight": torch.ones(2, 3), "a.bias": torch.ones(2)}, old=True),
    "graph": tensorflow_graph({"a.weight": torch.ones(2, 3), "a.bias": torch.ones(2)}),
}


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(MUTATIONS)), st.integers(0), st.integers(0, 255), st.booleans())
def test_changed_bytes_are_read_or_refused(
    tmp_path: Path, kind: str, place: int, byte: int, cut: bool
) -> None:
    content = bytearray(MUTATIONS[kind])
    content[place % len(content)] = byte
    path = tmp_path / "weights"
    path.write_bytes(content[: place % len(content) + 1] if cut else content)
    try:
        read = read_weights(path)
    except RenderError as error:
        assert "\n" not in str(error)
    else:
        assert all(one.numel() < 100 for one in read.values())


FIELDS: list[tuple[Callable[[memoryview], object], bytes, object]] = [
    (lambda data: integers(data, 1), number(1, 5) + block(1, b"\x01\xac\x02"), [5, 1, 300]),
    (lambda data: text(data, 2), block(2, "a") + block(2, "b"), "b"),
    (lambda data: text(data, 3), block(2, "a"), ""),
    (lambda data: floats(data, 1).tolist(), b"\x0d\0\0\x80?\x0d\0\0\0@", [1.0, 2.0]),
    (lambda data: floats(data, 1, double=True).tolist(), b"\x09\0\0\0\0\0\0\xf0?", [1.0]),
]


@pytest.mark.parametrize(("read", "data", "wanted"), FIELDS)
def test_fields_are_read_packed_or_not(
    read: Callable[[memoryview], object], data: bytes, wanted: object
) -> None:
    assert read(memoryview(data)) == wanted


@pytest.mark.parametrize("data", [block(1, b"\x01" * 10**6), number(1, 1) * 2000])
def test_no_shape_has_a_million_dimensions(data: bytes) -> None:
    tracemalloc.start()
    with pytest.raises(WireError, match="field 1 has more than 1000 numbers"):
        integers(memoryview(data), 1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000


@given(st.binary(max_size=60))
def test_any_bytes_are_fields_or_refused(data: bytes) -> None:
    try:
        found = list(read_fields(memoryview(data)))
    except WireError:
        return
    assert sum(len(inner) for *_, inner in found) <= len(data)


def test_floats_that_are_not_packed_take_the_memory_of_their_values() -> None:
    count = 50_000
    data = memoryview(b"\x2d\0\0\x80?" * count)
    tracemalloc.start()
    try:
        assert floats(data, 5).sum() == count
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # The values of the file, which grow by an eighth each time, and a copy.
    assert peak < 3 * 4 * count
