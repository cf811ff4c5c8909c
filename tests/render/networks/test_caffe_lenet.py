"""Caffe's LeNet with its real weights reads digits that the test draws, and dreams them."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFont

from render.networks.builtin import LOGITS
from render.networks.network import Network, load_network
from render.networks.weights import read_weights
from render.pictures.colour import to_canvas

FONTS = Path("/usr/share/fonts/truetype/dejavu")
"""Debian's fonts-dejavu-core and fonts-dejavu-extra, which CI installs."""

FACES = (
    *("Sans", "Sans-Bold", "Sans-Oblique", "SansMono", "SansMono-Bold"),
    *("SansCondensed", "SansCondensed-Bold", "Serif", "Serif-Bold", "SerifCondensed"),
)
TURNS = (-8, 8)
SIDE, BOX = 28, 20
"""Of a picture and its digit in pixels, as in MNIST."""


@pytest.fixture(scope="module")
def weights(shared: Path) -> Path:
    return shared / "weights" / "lenet_iter_10000.caffemodel"


@pytest.fixture(scope="module")
def network(weights: Path) -> Network:
    return load_network("caffe_lenet", weights, (LOGITS,))


def drawn(face: str, digit: int, turn: float) -> np.ndarray:
    """A white digit on black: 20 pixels long, its centre of mass in the middle of 28 x 28."""
    font = ImageFont.truetype(str(FONTS / f"DejaVu{face}.ttf"), 120)
    large = Image.new("L", (200, 200))
    ImageDraw.Draw(large).text((100, 100), str(digit), 255, font=font, anchor="mm")
    large = large.rotate(turn, Image.Resampling.BICUBIC)
    large = large.crop(large.getbbox())
    scale = BOX / max(large.size)
    width, height = (max(1, round(side * scale)) for side in large.size)
    small = np.asarray(large.resize((width, height), Image.Resampling.BOX), float)
    rows, columns = (
        round(13.5 - (at * small).sum() / small.sum()) for at in np.indices(small.shape)
    )
    picture = np.zeros((SIDE, SIDE), np.uint8)
    picture[rows : rows + height, columns : columns + width] = small
    return picture


def scores(network: Network, picture: np.ndarray) -> torch.Tensor:
    """The ten scores of a picture of 28 x 28, which is one unit of the classes."""
    canvas = to_canvas(np.repeat(picture[..., None], 3, 2), torch.float32)
    seen = network.activations(canvas.permute(2, 0, 1)[None])[LOGITS]
    assert seen.shape == (1, 10, 1, 1)
    return seen.flatten()


def test_the_file_holds_the_network_of_caffes_example(weights: Path) -> None:
    shapes = {name: tuple(one.shape) for name, one in read_weights(weights).items()}
    assert shapes == {
        "conv1.weight": (20, 1, 5, 5),
        "conv1.bias": (20,),
        "conv2.weight": (50, 20, 5, 5),
        "conv2.bias": (50,),
        "ip1.weight": (500, 800),
        "ip1.bias": (500,),
        "ip2.weight": (10, 500),
        "ip2.bias": (10,),
    }


@pytest.mark.skipif(not (FONTS / "DejaVuSerifCondensed.ttf").exists(), reason="needs fonts-dejavu")
def test_digits_are_read(network: Network) -> None:
    cases = list(product(FACES, range(10), TURNS))
    assert len(cases) == 200
    read = sum(
        int(scores(network, drawn(face, digit, turn)).argmax()) == digit
        for face, digit, turn in cases
    )
    assert read >= 180


def test_a_dream_of_a_class_is_that_digit(weights: Path, network: Network) -> None:
    import render

    noise = np.random.default_rng(0).random((28, 28, 3)) * 0.1
    wanted = render.Objective(classes=(3,))
    dreamed = render.deepdream(
        noise, "caffe_lenet", wanted, weights=weights, octaves=1, steps=12, jitter=4
    )
    grey = (dreamed.mean(2) * 255).astype(np.uint8)
    assert int(scores(network, grey).argmax()) == 3
    assert int(scores(network, (noise.mean(2) * 255).astype(np.uint8)).argmax()) != 3
