"""Feature pictures activate their objectives, and the same seed gives the same bytes."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from render.determinism import make_deterministic
from render.dream.objective import Mix, Objective
from render.errors import RenderError
from render.fourier.feature import dream_feature
from render.fourier.setup import FeatureSetup, Fourier
from render.geometry.rect import Size
from render.networks.builtin import PAREIDOLIA
from render.networks.network import Network, load_network
from render.networks.weight_paths import resolve_weights
from render.pictures.colour import BLACK, WHITE

SIZE = (72, 96)
SEED = 11


@pytest.fixture(scope="module", autouse=True)
def _repeatable() -> None:
    make_deterministic()


def setup(*mix: Objective, steps: int = 32, size: Size = SIZE) -> FeatureSetup:
    """A small picture, in few steps."""
    return FeatureSetup(Mix(mix), Fourier(steps), "float32", "cpu", size, stride=8, field=91)


def found(network: Network, asked: FeatureSetup, seed: int = SEED) -> Tensor:
    """The picture; fails if there is none."""
    canvas = dream_feature(network, asked, seed)
    assert isinstance(canvas, Tensor)
    return canvas


def mean_activation(network: Network, layer: str, channel: int, canvas: Tensor) -> float:
    """The channel's mean activation on a picture."""
    (seen,) = network.activations(canvas.permute(2, 0, 1)[None])[layer]
    return float(seen[channel].mean())


@pytest.fixture(scope="module")
def squeezenet(squeezenet_weights: Path) -> Network:
    """SqueezeNet as far as its middle."""
    return load_network("squeezenet1_0", squeezenet_weights, ("features.7", "features.9"))


@pytest.fixture(scope="module")
def pareidolia() -> Network:
    """The whole network that comes with the project."""
    return load_network(
        PAREIDOLIA, resolve_weights(PAREIDOLIA, None), ("mixed4a.cat", "classes.conv")
    )


@pytest.mark.parametrize("channel", [4, 55, 200])
@pytest.mark.parametrize("layer", ["features.7", "features.9"])
def test_a_channel_of_squeezenet_is_activated(
    squeezenet: Network, layer: str, channel: int, shared: Path
) -> None:
    asked = setup(Objective(layer, (channel,)))
    nothing = found(squeezenet, replace(asked, fourier=Fourier(0)))
    canvas = found(squeezenet, asked)

    before, after = (mean_activation(squeezenet, layer, channel, one) for one in (nothing, canvas))
    assert after > 5 * max(before, 0.1)


@pytest.mark.parametrize(("layer", "channel"), [("mixed4a.cat", 100), ("mixed4a.cat", 260)])
def test_a_channel_of_pareidolia_is_activated(
    pareidolia: Network, layer: str, channel: int
) -> None:
    asked = setup(Objective(layer, (channel,)))
    nothing = found(pareidolia, replace(asked, fourier=Fourier(0)))

    before = mean_activation(pareidolia, layer, channel, nothing)
    after = mean_activation(pareidolia, layer, channel, found(pareidolia, asked))
    assert after > 5 * max(before, 0.02)


def test_a_larger_decay_makes_a_smoother_picture(pareidolia: Network) -> None:
    frequency = torch.hypot(torch.fft.fftfreq(128)[:, None], torch.fft.rfftfreq(128))
    asked = setup(Objective("mixed4a.cat"), size=(128, 128))
    fractions = []
    for decay in (0.0, 1.0, 2.0):
        canvas = found(pareidolia, replace(asked, fourier=Fourier(24, decay=decay)))
        spectrum = torch.fft.rfft2(canvas - canvas.mean((0, 1)), dim=(0, 1)).abs().mean(2)
        fractions.append(
            float(spectrum[frequency > 0.3].mean() / spectrum[frequency < 0.15].mean())
        )
    assert fractions[0] > 2 * fractions[1] > 4 * fractions[2]


def test_the_canvas_is_like_others(pareidolia: Network) -> None:
    canvas = found(pareidolia, setup(Objective("mixed4a.cat"), steps=2))

    assert canvas.shape == (*SIZE, 3)
    assert (canvas.dtype, canvas.device.type) == (torch.float32, "cpu")
    assert canvas.is_contiguous()
    assert not canvas.requires_grad
    assert bool((canvas >= torch.tensor(BLACK)).all())
    assert bool((canvas <= torch.tensor(WHITE)).all())


def test_the_same_seed_gives_the_same_bytes(pareidolia: Network) -> None:
    mix = (Objective("mixed4a.cat", (3,)), Objective("classes.conv", (1, 2), weight=-0.5))
    asked = setup(*mix, steps=5, size=(65, 50))

    once, again = found(pareidolia, asked), found(pareidolia, asked)
    assert torch.equal(once, again)
    assert not torch.equal(once, found(pareidolia, asked, SEED + 1))


def test_opposite_weights_move_apart(pareidolia: Network) -> None:
    more = setup(Objective("mixed4a.cat", (20,)), steps=12)
    less = setup(Objective("mixed4a.cat", (20,), weight=-1.0), steps=12)

    high, low = (
        mean_activation(pareidolia, "mixed4a.cat", 20, found(pareidolia, one))
        for one in (more, less)
    )
    assert high > low


def test_a_tiny_picture_works(pareidolia: Network) -> None:
    assert found(pareidolia, setup(Objective("classes.conv"), steps=2, size=(1, 3))).std() > 0


def test_an_inactive_channel_is_activated(squeezenet: Network) -> None:
    nothing = found(squeezenet, setup(Objective("features.9"), steps=0))
    (seen,) = squeezenet.activations(nothing.permute(2, 0, 1)[None])["features.9"]
    silent = int((seen.flatten(1).amax(1) <= 0).nonzero()[0])
    asked = setup(Objective("features.9", (silent,)), steps=24)

    assert mean_activation(squeezenet, "features.9", silent, nothing) == 0
    assert mean_activation(squeezenet, "features.9", silent, found(squeezenet, asked)) > 0


def test_a_channel_that_nothing_activates_leaves_the_start(squeezenet_weights: Path) -> None:
    network = load_network("squeezenet1_0", squeezenet_weights, ("features.1",))
    with torch.no_grad():
        weight, bias = network.module.parameters()
        weight[7] = 0
        bias[7] = -1

    asked = setup(Objective("features.1", (7,)), steps=3)
    nothing = found(network, replace(asked, fourier=Fourier(0)))
    assert torch.equal(found(network, asked), nothing)


def test_damaged_weights_give_an_error_and_no_picture(squeezenet_weights: Path) -> None:
    network = load_network("squeezenet1_0", squeezenet_weights, ("features.0",))
    with torch.no_grad():
        next(iter(network.module.parameters())).fill_(float("nan"))

    said = dream_feature(network, setup(Objective("features.0"), steps=2), SEED)
    assert isinstance(said, RenderError)
    assert "gradients are not finite" in str(said)
    assert said.__traceback__ is None
