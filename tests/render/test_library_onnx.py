"""`render.deepdream` and `render.network_layers` with ONNX files."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

import render
from tests.support.onnx_files import saved, small_network

NOISE = np.random.default_rng(0).random((30, 40, 3))


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """A file whose class 3 is called `fern`."""
    path = small_network(tmp_path)
    model = onnx.load(path)
    names = ["a", "b", "c", "fern", "e", "f", "g", "h", "i", "j"]
    helper.set_model_props(model, {"classes": str(names).replace("'", '"')})
    return saved(model, path)


def test_a_picture_is_dreamed_by_an_onnx_file(network: Path) -> None:
    dreamed = render.deepdream(NOISE, str(network), octaves=1, steps=2)
    assert dreamed.shape == NOISE.shape
    assert np.abs(dreamed - NOISE).max() > 0.01
    # The default is the deepest layer with exact tiles.
    same = render.deepdream(NOISE, str(network), "/e/Relu", octaves=1, steps=2)
    assert np.array_equal(dreamed, same)


def test_a_class_is_given_by_its_name(network: Path) -> None:
    named, numbered = (
        render.deepdream(NOISE, str(network), render.Objective(classes=(one,)), octaves=1, steps=2)
        for one in ("fern", 3)
    )
    assert np.array_equal(named, numbered)


def test_layers_of_a_file_are_listed(network: Path) -> None:
    layers = render.network_layers(str(network))
    assert layers["/e/Relu"].field == 8
    assert layers["/f/GlobalAveragePool"].reason


def test_a_file_has_its_own_weights(network: Path) -> None:
    with pytest.raises(render.RenderError, match="has its own weights; leave weights out"):
        render.deepdream(NOISE, str(network), weights="other.safetensors")
