"""The parameters of feature visualisation, its random views and its memory. Needs no torch."""

import hashlib
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from render.device import Device, ResolvedPrecision
from render.dream.bounds import Bounds
from render.dream.objective import Mix
from render.engine.memory import BatchMemory, Cost
from render.geometry.rect import Size

MAX_PIXELS = 2048 * 2048
"""The largest picture. All its frequencies are optimised together, in one worker's memory."""


_STEPS, _RATES = Bounds(0, 100_000), Bounds(0, 10, above=True)

_DECAYS, _DEGREES = Bounds(0, 4), Bounds(0, 180)


@dataclass(frozen=True)
class Fourier:
    """The parameters of gradient ascent on a picture's Fourier coefficients.

    The method and the defaults are those of Lucid (Olah, Mordvintsev, Schubert 2017, "Feature
    Visualization"; tensorflow/lucid, `optvis/render.py`).

    steps: Adam's steps, from 0 to 100000; 0 leaves the noise of the start.
    rate: Adam's learning rate, above 0 and at most 10.
    decay: a frequency f has the weight f ** -decay, from 0 (all equal) to 4. A larger decay makes
        a smoother picture.
    turn: the largest rotation of a view, in degrees to either side, from 0 to 180. A larger one
        makes round shapes rounder, because strides of several pixels favour the picture's axes.

    Raises ValueError for a value out of range.
    """

    # Read by pydantic where a spec embeds this class, so that nothing is declared twice.
    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "strict": True}

    steps: Annotated[int, _STEPS] = 128
    rate: Annotated[float, _RATES] = 0.05
    decay: Annotated[float, _DECAYS] = 1.0
    turn: Annotated[float, _DEGREES] = 10.0

    def __post_init__(self) -> None:
        if self.steps not in _STEPS:
            raise ValueError(f"steps must be from 0 to 100000; not {self.steps}")
        if self.rate not in _RATES:
            raise ValueError(f"rate must be above 0 and at most 10; not {self.rate}")
        if self.decay not in _DECAYS:
            raise ValueError(f"decay must be from 0 to 4; not {self.decay}")
        if self.turn not in _DEGREES:
            raise ValueError(f"turn must be from 0 to 180; not {self.turn}")


def check_size(size: Size) -> None:
    """Raise ValueError if a picture has more than MAX_PIXELS."""
    height, width = size
    if height * width > MAX_PIXELS:
        raise ValueError(
            f"{width} x {height} pixels are too many for a Fourier picture, which may have "
            f"{MAX_PIXELS / 1e6:.1f} megapixels; make it smaller, or dream it in octaves"
        )


# The standard set of tensorflow/lucid, `optvis/transform.py`: pad, jitter, scale, rotate, jitter.
_PAD = 12

_FIRST_JITTER, _SECOND_JITTER = 8, 4

_SCALES = tuple(1 + step / 50 for step in range(-5, 6))

_TURNS = tuple(turn / 10 for turn in (*range(-10, 11), 0, 0, 0, 0, 0))


@dataclass(frozen=True)
class ViewTransform:
    """How a step transforms the picture into a view.

    scale: above 1 enlarges.
    degrees: the rotation, clockwise.
    down, right: the picture's centre relative to the view's, in pixels of the view.
    """

    scale: float
    degrees: float
    down: float
    right: float

    def size(self, picture: Size, min_side: int) -> Size:
        """Height and width of the view: those of the padded, scaled picture, less the jitter.

        Each is at least `min_side`.
        """
        height, width = (
            max(min_side, round((side + 2 * _PAD - _FIRST_JITTER) * self.scale) - _SECOND_JITTER)
            for side in picture
        )
        return height, width


def view_transform(seed: int, step: int, turn: float) -> ViewTransform:
    """The view of one step, decided by a hash, so it is known without the steps before it.

    `turn` is the largest rotation in degrees, to either side.
    """
    digest = hashlib.sha256(f"view/{seed}/{step}".encode()).digest()

    def random(word: int, count: int) -> int:
        return int.from_bytes(digest[4 * word : 4 * word + 4], "big") % count

    scale = _SCALES[random(0, len(_SCALES))]
    down, right = (
        (random(first, _FIRST_JITTER + 1) - _FIRST_JITTER / 2) * scale
        + random(second, _SECOND_JITTER + 1)
        - _SECOND_JITTER / 2
        for first, second in ((2, 4), (3, 5))
    )
    return ViewTransform(scale, _TURNS[random(1, len(_TURNS))] * turn, down, right)


def largest_view(picture: Size, min_side: int) -> Size:
    """The size of a picture's largest view."""
    return ViewTransform(max(_SCALES), 0, 0, 0).size(picture, min_side)


@dataclass(frozen=True)
class FeatureSetup:
    """What the engine must know to make feature pictures; each also has a seed.

    size: the picture's height and width, at most MAX_PIXELS.
    stride, field: of the network, over all layers of the mix, in pixels.

    Raises ValueError if the size is too large.
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
        """How many pictures share a pass of the network."""
        return 1

    @property
    def min_side(self) -> int:
        """The least side of a view in pixels; zeros surround a smaller picture.

        With less than a few strides some networks have no unit at all.
        """
        return min(self.field, 3 * self.stride)


_CHANNELS = 3


_PICTURES, _VIEWS = 6, 5
"""Copies of the picture and of a view in memory during a pass of the network: the coefficients,
Adam's means, and the values that autograd stores between coefficients and view."""


def feature_memory(setup: FeatureSetup, cost: Cost) -> BatchMemory:
    """The memory of one feature picture. `cost` is that of the setup's mix in its precision."""
    pixel = _CHANNELS * (8 if setup.precision == "float64" else 4)
    height, width = setup.size
    down, across = largest_view(setup.size, setup.min_side)
    stored = (_PICTURES * height * width + _VIEWS * down * across) * pixel
    gradients = len(setup.mix) * down * across * pixel
    return BatchMemory(stored, cost.bytes(down * across) + gradients)
