"""The ascent without derivatives: random changes are tried, and those that help are kept.

An evolution strategy with mirrored pairs estimates the gradient of an objective O at x:

    g = 1/n sum_i (O(x + s e_i) - O(x - s e_i)) / 2s  e_i

The e_i are waves with random phases, as long as the picture or shorter, with amplitudes that fall
with the frequency as in photographs. So few trials find shapes. The estimate takes the place of the
gradient, and the rest of a step is as ever. It also climbs where the gradient is zero almost
everywhere, such as behind a rounding.

Sources: Salimans et al. 2017, "Evolution Strategies as a Scalable Alternative to Reinforcement
Learning", section 2; Brockhoff et al. 2010, "Mirrored Sampling and Sequential Selection for
Evolution Strategies".

A trial changes the whole picture, so the picture must be one tile.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor

from render.dream.config import TRIALS
from render.dream.gradient import objective_value
from render.dream.objective import Objective
from render.geometry.rect import Rect, Size
from render.geometry.units import WindowPosition
from render.networks.network import Network

_SPREAD = 0.3
"""The root mean square of a change, s, in normalised space: about a fifteenth of the range."""

_WAVES = 10
"""The most waves along a side of the picture. More need more trials, and add little."""


def searched_gradients(
    network: Network,
    objectives: Sequence[Objective],
    window: Tensor,
    inside: Rect,
    position: WindowPosition,
    draw: int,
) -> list[Tensor]:
    """An estimate of g = dO/dx of each objective O on the pixels `inside` of a window x.

    The arguments and the result are those of `render.dream.gradient.gradients`.

    draw: which changes are tried, from 0 to 2**63 - 1.
    """
    totals = [window.new_zeros((inside.height, inside.width, 3)) for _ in objectives]
    for trial in range(TRIALS):
        change = random_waves((inside.height, inside.width), draw, trial).to(window)
        pair = torch.stack((window, window))
        pair[0][inside.slices()] += _SPREAD * change
        pair[1][inside.slices()] -= _SPREAD * change
        values = _values(network, objectives, pair, position)
        for total, (better, worse) in zip(totals, values, strict=True):
            total.add_(change, alpha=(better - worse) / (2 * _SPREAD * TRIALS))
    return totals


def _values(
    network: Network, objectives: Iterable[Objective], pair: Tensor, position: WindowPosition
) -> list[tuple[float, float]]:
    """Each objective of two windows (2, h, w, 3), in one pass of the network."""
    with torch.no_grad():
        layers = network.activations(pair.permute(0, 3, 1, 2))
        values = [
            objective_value(one, layers[one.target_layer], network, (position, position))
            for one in objectives
        ]
    return [(float(first), float(second)) for first, second in values]


def random_waves(size: Size, draw: int, trial: int) -> Tensor:
    """A sum of waves over a picture: (height, width, 3) of float64, with root mean square 1."""
    height, width = size
    lowest = 1 / max(size)
    down = _frequencies(height, lowest)
    across = _frequencies(width, lowest)
    # Philox gives the same numbers everywhere, and each draw and trial has its own.
    generator = np.random.Generator(np.random.Philox(key=[draw, trial]))
    shape = (3, len(down), len(across))
    amplitudes = torch.from_numpy(generator.standard_normal((*shape, 2)))
    weights = 1 / torch.hypot(down[:, None], across[None, :]).clamp(min=lowest)
    spectrum = torch.view_as_complex(amplitudes.contiguous()) * weights
    # Two products of small matrices: no FFT, whose sums depend on the machine's threads.
    waves = (_waves(down, height) @ spectrum @ _waves(across, width).T).real
    picture = waves.permute(1, 2, 0).contiguous()
    return picture / picture.square().mean().sqrt()


def _frequencies(side: int, lowest: float) -> Tensor:
    """Waves per pixel, from those of one direction to those of the other."""
    most = max(1, min(_WAVES, round(side * lowest * _WAVES), (side - 1) // 2))
    return torch.arange(-most, most + 1, dtype=torch.float64) / side


def _waves(frequencies: Tensor, side: int) -> Tensor:
    """Each wave at each pixel: (side, waves), complex."""
    turns = torch.arange(side, dtype=torch.float64)[:, None] * frequencies[None, :]
    return torch.polar(torch.ones_like(turns), 2 * torch.pi * turns)
