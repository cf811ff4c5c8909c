"""Each operator gives what ONNX's reference implementation gives, also for other sizes."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

from render.errors import NetworkError
from render.networks.graph import trace
from render.networks.onnx_network import load_onnx
from render.networks.receptive_field import receptive_fields
from tests.support.onnx_cases import CASES, Case, floats, one, whole
from tests.support.onnx_files import node, saved, small_model


def compare(path: Path, model: onnx.ModelProto, shape: tuple[int, ...]) -> None:
    picture = np.random.default_rng(0).normal(0, 1, shape).astype(np.float32)
    wanted = np.asarray(next(iter(ReferenceEvaluator(model).run(None, {"x": picture}))))
    network = load_onnx(path)
    with torch.no_grad():
        found = network(torch.from_numpy(picture)).numpy()
    if model.graph.node[-1].op_type == "Softmax":
        found = np.exp(found) / np.exp(found).sum(-1, keepdims=True)
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_operators_give_what_the_reference_gives(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    path = saved(case.model, tmp_path / "small.onnx")
    for size in case.sizes:
        compare(path, case.model, (1, case.channels, *size))


def test_local_response_norm_is_that_of_torch(tmp_path: Path) -> None:
    """ONNX's reference implementation goes through the batch in place of the channels."""
    model = small_model([node("LRN", "x", size=5, alpha=0.3, beta=0.7, bias=1.5)])
    picture = torch.randn(2, 3, 12, 10)
    found = load_onnx(saved(model, tmp_path / "lrn.onnx"))(picture)
    wanted = torch.nn.functional.local_response_norm(picture, 5, 0.3, 0.7, 1.5)
    torch.testing.assert_close(found, wanted)


def test_a_negative_padding_crops(tmp_path: Path) -> None:
    constants = {"p": whole(0, 0, -1, 0, 0, 0, 0, -2)}
    network = load_onnx(saved(small_model([node("Pad", "x p")], constants), tmp_path / "pad.onnx"))
    picture = torch.randn(2, 3, 12, 10)
    assert torch.equal(network(picture), picture[:, :, 1:, :-2])


def test_the_border_of_the_file_is_the_border_of_any_picture(tmp_path: Path) -> None:
    constants = {"s": whole(1), "e": whole(12), "a": whole(2)}
    model = small_model([node("Slice", "x s e a")], constants)
    network = load_onnx(saved(model, tmp_path / "slice.onnx"))
    picture = torch.randn(1, 3, 20, 14)
    assert torch.equal(network(picture), picture[:, :, 1:])


def test_a_head_of_a_picture_reads_means_of_a_larger_one(tmp_path: Path) -> None:
    network = load_onnx(saved(CASES["head of a picture"].model, tmp_path / "head.onnx"))
    picture = torch.randn(1, 3, 24, 20)
    means = torch.nn.functional.adaptive_avg_pool2d(picture, (12, 10))
    torch.testing.assert_close(network(picture), network(means))


def test_a_head_reads_means_also_with_its_channels_last(tmp_path: Path) -> None:
    nodes = [
        node("Transpose", "x", "t", perm=[0, 2, 3, 1]),
        node("Reshape", "t s", "f"),
        node("MatMul", "f w"),
    ]
    model = small_model(nodes, {"s": whole(1, -1), "w": floats(360, 4)})
    network = load_onnx(saved(model, tmp_path / "last.onnx"))
    picture = torch.randn(1, 3, 24, 20)
    means = torch.nn.functional.adaptive_avg_pool2d(picture, (12, 10))
    weight = torch.from_numpy(numpy_helper.to_array(model.graph.initializer[1]).copy())
    wanted = means.permute(0, 2, 3, 1).flatten(1) @ weight
    torch.testing.assert_close(network(picture), wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("case", "told"),
    [
        (one("Softmax", opset=12), "runs over several axes"),
        (one("LogSoftmax", axis=2, opset=11), "runs over several axes"),
        (one("Selu", alpha=1.5), "has other factors"),
        (one("Resize", "x - s", mode="cubic", cubic_coeff_a=-0.5), "in another way than torch"),
        (one("Resize", "x - s", mode="linear", exclude_outside=1), "in another way than torch"),
        (
            one("Resize", "x - - z", mode="nearest", keep_aspect_ratio_policy="not_larger"),
            "has the policy not_larger",
        ),
    ],
    ids=lambda value: value.nodes[0].op_type if isinstance(value, Case) else "",
)
def test_what_torch_computes_otherwise_is_refused(tmp_path: Path, case: Case, told: str) -> None:
    case.constants = {"s": np.array([1, 1, 2, 2], np.float32), "z": whole(1, 3, 24, 30)}
    with pytest.raises(NetworkError, match=told):
        load_onnx(saved(case.model, tmp_path / "other.onnx"))


def test_softmax_over_the_last_axis_is_the_same_in_all_versions(tmp_path: Path) -> None:
    case = Case([node("Softmax", "x", "s", axis=-1), node("Neg", "s")], opset=11)
    compare(saved(case.model, tmp_path / "last.onnx"), case.model, (1, 3, 9, 8))


@pytest.mark.parametrize(
    ("name", "field", "reason"),
    [
        ("shuffled channels", 1, ""),
        ("half of the channels, by its shape", 1, ""),
        ("slice in steps", 1, ""),
        ("prelu", 1, ""),
        ("mean of channels", 1, ""),
        ("layer norm in parts", 1, ""),
        ("layer norm", 1, ""),
        ("conv, same upper", 3, ""),
        ("max pool, uneven", 3, ""),
        ("resize", 0, "units see different surroundings at different places"),
        ("resize, linear", 0, "/y/Resize (Upsample) mixes places in a way that has no finite halo"),
        ("instance norm", 0, "(InstanceNorm2d) mixes places in a way that has no finite halo"),
        ("pad, reflect", 0, "(ReflectionPad2d) mixes places in a way that has no finite halo"),
        ("global maximum", 0, "/y/GlobalMaxPool averages over the whole picture"),
    ],
)
def test_fields_of_layers(tmp_path: Path, name: str, field: int, reason: str) -> None:
    network = load_onnx(saved(CASES[name].model, tmp_path / "small.onnx"))
    *_, last = receptive_fields(trace(network)).values()
    assert (last.field, last.reason.endswith(reason)) == (field, True)
    assert bool(last.reason) == bool(reason)


def test_the_first_input_may_have_its_channels_last(tmp_path: Path) -> None:
    nodes = [node("Transpose", "x", "t", perm=[0, 3, 1, 2]), node("Conv", "t w")]
    model = small_model(nodes, {"w": floats(4, 3, 3, 3)}, (1, 12, 10, 3))
    picture = floats(1, 14, 16, 3)
    wanted = np.asarray(next(iter(ReferenceEvaluator(model).run(None, {"x": picture}))))
    network = load_onnx(saved(model, tmp_path / "last.onnx"))
    with torch.no_grad():
        found = network(torch.from_numpy(picture).permute(0, 3, 1, 2)).numpy()
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_narrow_weights_are_widened(tmp_path: Path, name: str) -> None:
    weight = torch.randn(4, 3, 3, 3).to(getattr(torch, name))
    model = small_model([node("Conv", "x w")], {"w": np.zeros((4, 3, 3, 3), np.float32)})
    kind = {"float16": onnx.TensorProto.FLOAT16, "bfloat16": onnx.TensorProto.BFLOAT16}[name]
    model.graph.initializer[0].data_type = kind
    model.graph.initializer[0].raw_data = weight.view(torch.uint8).numpy().tobytes()
    network = load_onnx(saved(model, tmp_path / "narrow.onnx"))
    (found,) = (one for key, one in network.state_dict().items() if key.endswith("weight"))
    assert found.dtype == torch.float32
    assert torch.equal(found, weight.float())
