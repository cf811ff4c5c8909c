"""Decorrelated colours: zeros are grey, and no value is out of range."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from render.fourier.parametrisation import decorrelated_to_canvas
from render.pictures.colour import BLACK, MEAN, STD, WHITE

VALUES = st.lists(st.floats(-1e4, 1e4), min_size=3, max_size=3)


@given(VALUES)
def test_every_value_is_a_colour(values: list[float]) -> None:
    canvas = decorrelated_to_canvas(torch.tensor([[values]], dtype=torch.float64))

    assert canvas.shape == (1, 1, 3)
    assert bool((canvas >= torch.tensor(BLACK) - 1e-6).all())
    assert bool((canvas <= torch.tensor(WHITE) + 1e-6).all())


def test_zeros_are_grey() -> None:
    canvas = decorrelated_to_canvas(torch.zeros(1, 1, 3))
    grey = (0.5 - torch.tensor(MEAN)) / torch.tensor(STD)

    torch.testing.assert_close(canvas[0, 0], grey)


def rgb(*decorrelated: float) -> list[float]:
    """The colour from 0 to 1 that three channels stand for."""
    canvas = decorrelated_to_canvas(torch.tensor([[decorrelated]], dtype=torch.float64))[0, 0]
    return [float(one) for one in canvas * torch.tensor(STD) + torch.tensor(MEAN)]


def test_the_first_channel_is_lightness_and_the_others_are_hues() -> None:
    light, dark = rgb(4, 0, 0), rgb(-4, 0, 0)
    assert min(light) > 0.8
    assert max(dark) < 0.2
    assert max(light) - min(light) < 0.05

    red, _, blue = rgb(0, 4, 0)
    assert red > 0.6
    assert blue < 0.4
    red, green, blue = rgb(0, 0, 4)
    assert green < 0.5 < min(red, blue)


def test_the_longest_column_has_length_1() -> None:
    # sigmoid(x) = 1 / (1 + exp(-x)), so its inverse shows the matrix's result.
    columns = []
    for channel in range(3):
        one = [0.0, 0.0, 0.0]
        one[channel] = 1.0
        columns.append(float(torch.logit(torch.tensor(rgb(*one))).norm()))

    assert max(columns) == columns[0]
    assert abs(columns[0] - 1) < 1e-6
