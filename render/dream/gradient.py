"""The gradient of each objective with respect to a window's pixels."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import TypeVar

import torch
from torch import Tensor

from render.dream.objective import Objective
from render.geometry.rect import Rect
from render.geometry.units import UnitGrid, WindowPosition
from render.networks.convolution import products
from render.networks.network import Network

_PRODUCTS = 1 << 22
"""The most (position, guide position) dot products held in memory at a time."""


def objective_grad(
    objective: Objective,
    activations: Tensor,
    network: Network,
    positions: Sequence[WindowPosition] = (),
) -> Tensor:
    """The derivative of an objective O with respect to its layer's activations a: (N, C, h, w).

    A layer:            O = 1/2 sum a^2      dO/da = a        ("objective_L2", Mordvintsev 2015)
    Classes, neurons:   O = sum a            dO/da = 1
    A guide b:          O = sum a_p . b_q    dO/da_p = b_q    q maximises a_p . b_q

    All sums run over positions p and channels, so a tile's gradient needs no other tile. The chosen
    channels and positions mask the derivative. Weights are applied later, when each objective's
    mean |g| over the whole picture is known.

    `positions` says where each of the N windows lies; only neurons need it.
    """
    activations = activations.detach()
    if objective.guide is not None:
        return _guide_grad(activations, network.guides[objective.target_layer, objective.guide])
    grad = torch.ones_like(activations) if objective.is_linear else activations
    if objective.target_channels is not None:
        grad = grad * _channel_mask(
            objective.target_channels, grad.shape[1], grad.dtype, grad.device
        )
    if objective.at is not None:
        units = network.units[objective.target_layer]
        grad = grad * _neuron_mask(objective.at, grad, units, positions)
    return grad


def objective_value(
    objective: Objective,
    activations: Tensor,
    network: Network,
    positions: Sequence[WindowPosition] = (),
) -> Tensor:
    """The objective O of each of N windows: (N,) of float64. See `objective_grad`."""
    derivative = objective_grad(objective, activations, network, positions)
    values = (activations.double() * derivative.double()).sum((1, 2, 3))
    # The sum of a dO/da is 2 O for the squares, and O for the others.
    is_square = objective.guide is None and not objective.is_linear
    return values / 2 if is_square else values


@cache
def _channel_mask(
    channels: tuple[int, ...], count: int, dtype: torch.dtype, device: torch.device
) -> Tensor:
    """1 for the chosen channels and 0 for the others: (count, 1, 1), sent to the device once."""
    mask = torch.zeros(count, 1, 1, dtype=dtype)
    mask[list(channels)] = 1
    return mask.to(device)


def _neuron_mask(
    at: Sequence[tuple[float, float]],
    like: Tensor,
    units: UnitGrid,
    positions: Sequence[WindowPosition],
) -> Tensor:
    """1 at the chosen neurons and 0 elsewhere: (N, 1, h, w)."""
    count, _, rows, columns = like.shape
    mask = torch.zeros((count, 1, rows, columns), dtype=like.dtype)
    for window, position in zip(mask, positions, strict=False):
        for one in at:
            for row, column in position.units(units, one, (rows, columns)):
                window[0, row, column] = 1
    return mask.to(like.device)


def _guide_grad(activations: Tensor, guide: Tensor) -> Tensor:
    """For each position, the guide's vector with the largest product. `guide`: (positions, C)."""
    count, channels, rows, columns = activations.shape
    vectors = activations.permute(0, 2, 3, 1).reshape(-1, channels)
    step = max(1, _PRODUCTS // len(guide))
    nearest = [guide[products(some, guide).argmax(1)] for some in torch.split(vectors, step)]
    return torch.cat(nearest).reshape(count, rows, columns, channels).permute(0, 3, 1, 2)


def gradients(
    network: Network,
    objectives: Iterable[Objective],
    window: Tensor,
    inside: Rect,
    position: WindowPosition | None = None,
) -> list[Tensor]:
    """g = dO/dx of each objective O on the pixels `inside` of a window x.

    `window` is (h, w, 3) in normalised space, with zeros where there is no picture. Each result is
    (inside.height, inside.width, 3) in the window's dtype. `position` says where the window lies;
    only neurons need it. One forward pass, and one backward pass for each objective.
    """
    pixels = window.detach().permute(2, 0, 1).unsqueeze(0)
    positions = () if position is None else (position,)
    return _backpropagate(
        network, objectives, pixels, positions, lambda gradient: _crop(gradient[0], inside)
    )


def batched_gradients(
    network: Network,
    objectives: Iterable[Objective],
    windows: Sequence[Tensor],
    insides: Sequence[Rect],
    windows_per_pass: int,
    positions: Sequence[WindowPosition] = (),
) -> list[list[Tensor]]:
    """The same for windows (h, w, 3) of one shape in one pass; a list for each window.

    The pass always has `windows_per_pass` windows; zeros fill it up. Kernels are chosen by shape,
    so they are the same for any number of windows. Raises ValueError for more windows than that.
    """
    if len(windows) > windows_per_pass:
        raise ValueError(f"{len(windows)} windows do not fit a pass of {windows_per_pass}")
    batch = windows[0].new_zeros((windows_per_pass, *windows[0].shape))
    for slot, window in zip(batch, windows, strict=False):
        slot.copy_(window)

    def crop(gradient: Tensor) -> list[Tensor]:
        return [_crop(one, inside) for one, inside in zip(gradient, insides, strict=False)]

    cropped = _backpropagate(network, objectives, batch.permute(0, 3, 1, 2), positions, crop)
    return [list(one) for one in zip(*cropped, strict=True)]


_Cropped = TypeVar("_Cropped")


def _backpropagate(
    network: Network,
    objectives: Iterable[Objective],
    pixels: Tensor,
    positions: Sequence[WindowPosition],
    crop: Callable[[Tensor], _Cropped],
) -> list[_Cropped]:
    """Each objective's gradient (N, 3, h, w), cropped before the next one is computed."""
    objectives = list(objectives)
    with torch.enable_grad():
        pixels.requires_grad_()
        layers = network.activations(pixels)
        cropped = []
        for number, objective in enumerate(objectives):
            activations = layers[objective.target_layer]
            (gradient,) = torch.autograd.grad(
                activations,
                pixels,
                objective_grad(objective, activations, network, positions),
                retain_graph=number + 1 < len(objectives),
            )
            cropped.append(crop(gradient))
    return cropped


def _crop(gradient: Tensor, inside: Rect) -> Tensor:
    """The pixels `inside` of one gradient (3, h, w), as (inside.height, inside.width, 3)."""
    rows, columns = inside.slices()
    return gradient.permute(1, 2, 0)[rows, columns].contiguous()
