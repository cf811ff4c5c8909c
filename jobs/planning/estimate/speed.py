"""How long the arithmetic of a tile takes one worker."""

from dataclasses import dataclass

from jobs.planning.estimate.gpu_specs import Card
from jobs.planning.octave import Load
from render.device import Resolved
from render.engine.memory import Cost

_PASSES = 4
"""How often each byte of a window's peak is moved: written and read, forward and backward."""


_PULLING = 1500
"""Bytes moved for each pixel whose slope is smoothed, twice, and that is then updated."""


_LAUNCHES = 5e-3
"""Seconds for a GPU to be told of a window's some hundred kernels. Assumed."""


@dataclass(frozen=True)
class Speed:
    """Seconds of one worker: for each window whatever its size, for each pixel of a window, and for
    each pixel whose slope is smoothed and that is then updated.

    origin: where they come from, in words.
    """

    window: float
    window_pixel: float
    pixel: float
    origin: str

    def seconds(self, load: Load) -> float:
        """Of one step."""
        return (
            load.tiles * self.window
            + load.window_pixels * self.window_pixel
            + load.slopes * self.pixel
        )


def sheet_speed(card: Card, cost: Cost, precision: Resolved) -> Speed:
    """What a card's data sheet lets expect of a network of that cost, which is not run.

    The slower of arithmetic and memory decides.
    """
    computing = cost.flops / (card.rates[precision] * card.reached)
    moving = _PASSES * cost.pixel / card.bandwidth
    return Speed(
        window=_LAUNCHES if card.memory else 0.0,
        window_pixel=max(computing, moving) if card.memory else computing,
        pixel=_PULLING / card.bandwidth,
        origin=f"from the data sheet of {card.name}",
    )
