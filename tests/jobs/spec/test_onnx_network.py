"""How specs name the network of an ONNX file."""

from pathlib import Path
from typing import Any

import pytest

from jobs.services.spec_source import load_document
from jobs.spec.document import expand_shorthands, parse_poster_spec
from jobs.text.errors import RequestError

FORMS: list[Any] = ["my.onnx", "MY.ONNX", {"onnx": "my.onnx"}, {"name": "my.onnx"}]


@pytest.mark.parametrize("form", FORMS)
def test_all_forms_mean_the_file(form: Any) -> None:
    network = parse_poster_spec({"input": "a.png", "network": form}).network
    name = form if isinstance(form, str) else "my.onnx"
    assert (network.name, network.weights) == ("onnx", Path.cwd() / name)
    assert network.label == name


def test_the_command_line_names_a_file_in_place_of_a_network() -> None:
    document = load_document({"input": "a.png", "network": "vgg16"}, network="my.onnx")
    network = expand_shorthands(document)["network"]
    assert network == {"name": "onnx", "weights": "my.onnx"}


def test_expanding_twice_changes_nothing() -> None:
    once = expand_shorthands({"network": {"onnx": "my.onnx"}})
    assert expand_shorthands(once) == once


@pytest.mark.parametrize(
    ("network", "told"),
    [
        ({"onnx": "my.onnx", "weights": "w.pth"}, "network.weights: my.onnx is an ONNX file"),
        ({"onnx": "my.onnx", "name": "vgg16"}, "network.name: my.onnx is an ONNX file"),
        ({"name": "my.onnx", "weights": "pretrained"}, "network.weights: my.onnx is an ONNX file"),
    ],
)
def test_an_onnx_file_has_its_own_name_and_weights(network: dict[str, str], told: str) -> None:
    with pytest.raises(RequestError) as refused:
        parse_poster_spec({"input": "a.png", "network": network})
    assert str(refused.value).startswith(told)


def test_the_file_must_be_a_path() -> None:
    with pytest.raises(RequestError, match="must be the path of a file"):
        parse_poster_spec({"input": "a.png", "network": {"onnx": 3}})
