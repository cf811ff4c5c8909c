"""The gradient of each objective on one stretch of padded canvas."""

import torch
from torch import Tensor

from render.networks.network import Network
from render.objective import Mix
from render.rect import Rect
from render.response import ascent


def gradients(network: Network, mix: Mix, padded: Tensor, inside: Rect) -> list[Tensor]:
    """d objective / d canvas, for each objective of the mix, on the pixels `inside`.

    `padded` is (h, w, 3) in normalised space, zeros where there is no picture; each result is
    (inside.height, inside.width, 3) in padded's type. One pass forward, one backward an objective.
    """
    rows, columns = inside.slices()
    with torch.enable_grad():
        pixels = padded.detach().permute(2, 0, 1).unsqueeze(0).requires_grad_()
        seen = network.activations(pixels)
        found = []
        for position, objective in enumerate(mix):
            activations = seen[objective.layer]
            (gradient,) = torch.autograd.grad(
                activations,
                pixels,
                ascent(objective, activations),
                retain_graph=position + 1 < len(mix),
            )
            found.append(gradient[0].permute(1, 2, 0)[rows, columns].contiguous())
    return found
