"""How an objective looks at its layer: what it adds up over positions, and which way is up."""

from torch import Tensor

from render.objective import Objective


def ascent(objective: Objective, activations: Tensor) -> Tensor:
    """The derivative of the objective by its layer's activations, both (N, C, h, w).

    The objective is half the sum of squares over positions and channels (Mordvintsev et al. 2015,
    "objective_L2"), whose derivative is the activations themselves; a choice of channels takes the
    others' part away. It is a sum over positions, so a tile's gradient needs no other tile.
    Weights are applied later, where each objective's gradient is known over the whole picture.
    """
    up = activations.detach()
    if objective.channels is None:
        return up
    chosen = up.new_zeros(up.shape[1])
    chosen[list(objective.channels)] = 1
    return up * chosen[:, None, None]
