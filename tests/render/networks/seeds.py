"""Whole networks with seeded weights."""

import torch
from torch import nn

from render.networks.catalogue import build
from tests.render.engine import fill


def seeded_whole(name: str, *, auxiliary: bool = False) -> nn.Module:
    """A network in float64 with every weight seeded, heads and normalisations too."""
    model = build(name, auxiliary=auxiliary).to_empty(device="cpu").double()
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.05)
    fill(model)
    return model
