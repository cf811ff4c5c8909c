"""How a feature's picture is found from nothing; needs no torch."""

import hashlib
import math
from dataclasses import dataclass
from typing import Any, ClassVar

from render.device import Device, ResolvedPrecision
from render.dream.objective import Mix
from render.engine.memory import BatchMemory, Cost
from render.geometry.rect import Size

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


# Lucid's standard set (tensorflow/lucid, `optvis/transform.py`): pad, jitter, scale, turn, jitter.
_PAD = 12

_FIRST_JITTER, _SECOND_JITTER = 8, 4

_SCALES = tuple(1 + step / 50 for step in range(-5, 6))

_TURNS = tuple(turn / 10 for turn in (*range(-10, 11), 0, 0, 0, 0, 0))


@dataclass(frozen=True)
class ViewTransform:
    """One look at a picture.

    scale: above 1 enlarges. degrees: turns the picture, clockwise. down, right: where its middle
    lies from the view's, in pixels of the view.
    """

    scale: float
    degrees: float
    down: float
    right: float

    def size(self, picture: Size, least: int) -> Size:
        """Height and width of what is seen, each at least `least`: the picture and some pixels
        around it, but for what jitter cuts off."""
        height, width = (
            max(least, round((side + 2 * _PAD - _FIRST_JITTER) * self.scale) - _SECOND_JITTER)
            for side in picture
        )
        return height, width


def view_transform(seed: int, step: int, turn: float) -> ViewTransform:
    """The look of one step: a hash, so it is known without those before.

    `turn` is the most that it is turned, in degrees, either way.
    """
    digest = hashlib.sha256(f"view/{seed}/{step}".encode()).digest()

    def drawn(place: int, count: int) -> int:
        return int.from_bytes(digest[4 * place : 4 * place + 4], "big") % count

    scale = _SCALES[drawn(0, len(_SCALES))]
    down, right = (
        (drawn(first, _FIRST_JITTER + 1) - _FIRST_JITTER / 2) * scale
        + drawn(second, _SECOND_JITTER + 1)
        - _SECOND_JITTER / 2
        for first, second in ((2, 4), (3, 5))
    )
    return ViewTransform(scale, _TURNS[drawn(1, len(_TURNS))] * turn, down, right)


def largest_view(picture: Size, least: int) -> Size:
    """The size of the largest look at a picture."""
    return ViewTransform(max(_SCALES), 0, 0, 0).size(picture, least)


@dataclass(frozen=True)
class FeatureSetup:
    """The plan of a feature's picture; with a seed it gives the pixels.

    `precision` is resolved; `device` is where it is computed; `size` is the picture's; `stride`
    and `field` are the network's, in pixels. Raises ValueError for a size that is too large.
    """

    mix: Mix
    fourier: Fourier
    precision: ResolvedPrecision
    device: Device
    size: Size
    stride: int
    field: int

    def __post_init__(self) -> None:
        check_size(self.size)

    @property
    def windows_per_pass(self) -> int:
        """How many share a pass of the network: each its own."""
        return 1

    @property
    def least(self) -> int:
        """The side that the network is shown at least, zeros around a smaller picture.

        Some networks have no unit at all for less than a few strides.
        """
        return min(self.field, 3 * self.stride)


_CHANNELS = 3


_PICTURES, _VIEWS = 6, 5
"""Copies of the picture, and of a view of it, that are alive while the network is passed: the
coefficients, Adam's sums, and what the way from them to the view keeps for its gradient."""


def feature_memory(setup: FeatureSetup, cost: Cost) -> BatchMemory:
    """The memory of one feature's picture. `cost` is that of the recipe's mix in its precision."""
    pixel = _CHANNELS * (8 if setup.precision == "float64" else 4)
    height, width = setup.size
    down, across = largest_view(setup.size, setup.least)
    held = (_PICTURES * height * width + _VIEWS * down * across) * pixel
    gradients = len(setup.mix) * down * across * pixel
    return BatchMemory(held, cost.bytes(down * across) + gradients)
