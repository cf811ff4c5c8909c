"""Adam (Kingma and Ba 2015, "Adam: A Method for Stochastic Optimization", algorithm 1).

torch's own would do, but loads its compiler, which takes seconds.
"""

import torch
from torch import Tensor

_FIRST, _SECOND = 0.9, 0.999
_LEAST = 1e-8


class Adam:
    """Climbs: moves values along their gradients, each by about `rate` a step."""

    def __init__(self, values: Tensor, rate: float) -> None:
        """`values` are changed in place."""
        self._values, self._rate = values, rate
        self._mean, self._square = torch.zeros_like(values), torch.zeros_like(values)
        self._steps = 0

    def climb(self, gradient: Tensor) -> None:
        """One step."""
        self._steps += 1
        self._mean.lerp_(gradient, 1 - _FIRST)
        self._square.mul_(_SECOND).addcmul_(gradient, gradient, value=1 - _SECOND)
        spread = (self._square / (1 - _SECOND**self._steps)).sqrt_().add_(_LEAST)
        self._values.addcdiv_(self._mean, spread, value=self._rate / (1 - _FIRST**self._steps))
