"""Colours in which a dream changes: what is left of gradients before they count."""

from functools import cache

import torch
from torch import Tensor

from render.dream import Dream
from render.pictures.colour import CORRELATION, STD


def toned(gradient: Tensor, dream: Dream) -> Tensor:
    """A gradient (h, w, 3) in the canvas's space, or what a dream leaves of it. Each pixel for
    itself, so it is exact on tiles.
    """
    if dream.keep is not None:
        return of_light(gradient)
    if dream.palette == "natural":
        return gradient @ _natural(gradient.dtype, gradient.device)
    return gradient


def of_light(gradient: Tensor) -> Tensor:
    """The part of a gradient (h, w, 3) that makes a pixel lighter or darker and nothing else.

    All three channels change by the same in rgb, so in the canvas's space by that over STD.
    """
    std = _deviation(gradient.dtype, gradient.device)
    return (gradient / std).sum(-1, keepdim=True) / std


@cache
def _deviation(dtype: torch.dtype, device: torch.device) -> Tensor:
    return torch.tensor(STD, dtype=dtype).to(device)


@cache
def _natural(dtype: torch.dtype, device: torch.device) -> Tensor:
    """From a gradient in the canvas's space to the steepest change among natural colours.

    Lucid climbs decorrelated colours u, rgb = A u, so a step there changes rgb by A A' g. With
    steps of plain gradient ascent that leaves next to no hue, so here it is the root of A A': hues
    count by their deviation in natural pictures, not by its square.
    """
    root = torch.tensor(CORRELATION, dtype=torch.float64)
    values, vectors = torch.linalg.eigh(root @ root.T)
    half = vectors @ torch.diag(values.clamp_min(0).sqrt()) @ vectors.T
    scale = torch.diag(1 / torch.tensor(STD, dtype=torch.float64))
    turned: Tensor = (scale @ half @ scale).to(device, dtype)
    return turned
