"""How a feature's picture is found from nothing; needs no torch."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from render.rect import Size

MOST_PIXELS = 2048 * 2048
"""Of a picture whose every frequency is optimised at once, in one worker's memory."""


@dataclass(frozen=True)
class Fourier:
    """The parameters of gradient ascent on a picture's Fourier coefficients.

    The names are of this project, the way and the defaults those of Lucid (Olah, Mordvintsev,
    Schubert 2017, "Feature Visualization"; tensorflow/lucid, `optvis/render.py`).

    steps: of Adam, from 0 to 100000; none leaves the noise that it begins with.
    rate: Adam's learning rate, above 0 and at most 10.
    decay: how a frequency's weight falls with it, f ** -decay, from 0 (all alike) to 4; the more
        it falls, the smoother the picture.
    turn: how far a step may look at the picture turned, in degrees either way, from 0 to 180. The
        further, the rounder what is round: a network's steps of a few pixels favour its axes.

    Raises ValueError for a value out of its range.
    """

    # Read by pydantic where a spec embeds this class, so that nothing is declared twice.
    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "strict": True}

    steps: int = 128
    rate: float = 0.05
    decay: float = 1.0
    turn: float = 10.0

    def __post_init__(self) -> None:
        if not 0 <= self.steps <= 100_000:
            raise ValueError(f"steps must be from 0 to 100000; not {self.steps}")
        if not (0 < self.rate <= 10 and math.isfinite(self.rate)):
            raise ValueError(f"rate must be above 0 and at most 10; not {self.rate}")
        if not 0 <= self.decay <= 4:
            raise ValueError(f"decay must be from 0 to 4; not {self.decay}")
        if not 0 <= self.turn <= 180:
            raise ValueError(f"turn must be from 0 to 180; not {self.turn}")


def check_size(size: Size) -> None:
    """Raises ValueError for a picture too large."""
    height, width = size
    if height * width > MOST_PIXELS:
        raise ValueError(
            f"{width} x {height} pixels are too many for a Fourier picture, which may have "
            f"{MOST_PIXELS / 1e6:.1f} megapixels; make it smaller, or dream it in octaves"
        )
