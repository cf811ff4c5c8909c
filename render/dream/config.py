"""How a dream is driven: octaves, steps, their size and their jitter."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple


class Moment(NamedTuple):
    """Where a dream is: `octave` of `octaves` and `step` of `steps`, counted from 0."""

    octave: int
    octaves: int
    step: int
    steps: int


@dataclass(frozen=True)
class Schedule:
    """Factors over octaves and over the steps of each; at a moment both count.

    Values are spread evenly from the first octave (or step) to the last, and straight lines lead
    from one to the next: `octaves: [1, 0]` fades out, `steps: [0, 1, 0]` swells. Where there is one
    octave (or step) only, the first value counts. Raises ValueError for no value, or one that is
    not finite.
    """

    # Read by pydantic where a spec embeds this class, so that nothing is declared twice.
    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "strict": True}

    octaves: tuple[float, ...] = (1.0,)
    steps: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        for name, values in (("octaves", self.octaves), ("steps", self.steps)):
            if not values:
                raise ValueError(f"{name} needs at least one value")
            if not all(map(math.isfinite, values)):
                raise ValueError(f"{name} must be finite numbers")

    def at(self, moment: Moment) -> float:
        """The factor at a moment."""
        return _between(self.octaves, moment.octave, moment.octaves) * _between(
            self.steps, moment.step, moment.steps
        )


STEADY = Schedule()
"""The same throughout."""


def _between(values: tuple[float, ...], place: int, count: int) -> float:
    """The value at `place` of `count`, on the straight line between its neighbours."""
    if len(values) == 1 or count <= 1:
        return values[0]
    along = place * (len(values) - 1) / (count - 1)
    before = min(int(along), len(values) - 2)
    share = along - before
    return values[before] * (1 - share) + values[before + 1] * share


_REACH = 3.0  # deviations at which a Gaussian is cut off: what is left is 0.3%

_WIDEST = 64.0

_MOST_BANDS = 7


@dataclass(frozen=True)
class Smooth:
    """Gradients smoothed over several scales, exactly, as if the picture had no tiles.

    gaussian: deviations in pixels, from 0.3 to 64; the mean of these blurs is taken
        (gordicaleksa/pytorch-deepdream takes three).
    laplacian: weights of bands of frequency, from fine to coarse, 2 to 7 of them, at least 0; each
        band is an octave wide, the last is all that is coarser, and each is divided by its own mean
        over the whole picture, so that coarse shapes rise as fast as fine ones (the Laplacian
        pyramid of Mordvintsev et al. 2015; Burt and Adelson 1983). Here it is not decimated, so
        that it does not depend on where a grid of pixels begins.

    Raises ValueError for a value out of its range, and unless there is one of the two.
    """

    # Read by pydantic where a spec embeds this class, so that nothing is declared twice.
    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "strict": True}

    gaussian: tuple[float, ...] | None = None
    laplacian: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if (self.gaussian is None) == (self.laplacian is None):
            raise ValueError("must be one of gaussian: [1, 2] and laplacian: [1, 1, 1]")
        if self.gaussian is not None and not self.gaussian:
            raise ValueError("gaussian needs at least one deviation")
        for sigma in self.gaussian or ():
            if not 0.3 <= sigma <= _WIDEST:
                raise ValueError(f"gaussian must be from 0.3 to {_WIDEST:g} pixels; not {sigma:g}")
        if self.laplacian is not None:
            if not 2 <= len(self.laplacian) <= _MOST_BANDS:
                raise ValueError(f"laplacian needs 2 to {_MOST_BANDS} weights")
            if not all(w >= 0 and math.isfinite(w) for w in self.laplacian):
                raise ValueError("laplacian must be finite numbers, at least 0")
            if not any(self.laplacian):
                raise ValueError("laplacian must not be all 0")

    @property
    def margin(self) -> int:
        """How far a smoothed gradient looks round, in pixels on each side."""
        if self.laplacian is not None:
            # Two taps on each side, twice as far apart at each level (Burt and Adelson 1983).
            return 2 * ((1 << (len(self.laplacian) - 1)) - 1)
        return max(map(reach, self.gaussian or ()))

    @property
    def bands(self) -> tuple[float, ...]:
        """What each band's gradient of mean 1 is multiplied by.

        Bands hardly depend on each other, so their squares add up; these are 1 together.
        """
        if self.laplacian is None:
            return (1.0,)
        whole = math.sqrt(sum(weight * weight for weight in self.laplacian))
        return tuple(weight / whole for weight in self.laplacian)


def reach(sigma: float) -> int:
    """The taps of a Gaussian of that deviation on each side of its middle."""
    return math.ceil(_REACH * sigma)


Keep = Literal["colours"]

Palette = Literal["natural", "free"]

Limit = Literal["soft", "hard"]


_SHAPES_FIRST = Schedule(octaves=(1.3, 0.7))

_ALL_SCALES = Smooth(laplacian=(0.7, 1.0, 1.0, 0.6))


@dataclass(frozen=True)
class Dream:
    """The parameters of gradient ascent, the same for every tile of every octave.

    The names, and the defaults of octaves, steps and jitter, are those of Google's notebook
    (Mordvintsev, Olah, Tyka 2015, "DeepDreaming with TensorFlow / Caffe"). The others were chosen
    by eye, side by side: coarse shapes rise with fine ones, in natural colours, and nothing burns.

    octaves: how many sizes of the picture are rendered, from 1 to 64; `auto` adds octaves with the
        output's size, so that the largest motif keeps its share of the picture.
    octave_scale: each octave's size over that of the one before, from 1.05 to 4.
    steps: gradient steps in each octave, from 0 to 100000; none makes a plain resize.
    step_size: how far a step goes, above 0, in the canvas's normalised space: the gradient is
        divided by its mean |g| over the whole picture, so the mean |change| of a step is step_size.
    jitter: the sampling grid's largest offset in pixels of the octave, 0 to 100000; it is
        rounded up to a multiple of the network's stride, and 0 means none.
    seed: decides every step's jitter, from 0 to 2**63 - 1.
    schedule: factors of step_size over octaves and steps.
    smooth: how gradients are smoothed; None for not at all.
    keep: `colours` changes only how light a pixel is.
    palette: `natural` climbs among colours as they occur in pictures, mostly lighter and darker;
        `free` has red, green and blue climb each for itself.
    limit: `soft` has changes slow down before black and white, so that nothing burns out; `hard`
        cuts them off there.
    strength: a picture, grey, of any size: where it is black nothing changes.

    Raises ValueError for a value out of its range.
    """

    # Read by pydantic where a spec embeds this class, so that nothing is declared twice.
    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "strict": True}

    octaves: int | Literal["auto"] = "auto"
    octave_scale: float = 1.4
    steps: int = 10
    step_size: float = 0.04
    jitter: int = 32
    seed: int = 0
    schedule: Schedule = _SHAPES_FIRST
    smooth: Smooth | None = _ALL_SCALES
    keep: Keep | None = None
    palette: Palette = "natural"
    limit: Limit = "soft"
    strength: Path | None = None

    def __post_init__(self) -> None:
        if self.octaves != "auto" and not 1 <= self.octaves <= 64:
            raise ValueError(f"octaves must be from 1 to 64, or auto; not {self.octaves}")
        if not 1.05 <= self.octave_scale <= 4:
            raise ValueError(f"octave_scale must be from 1.05 to 4; not {self.octave_scale}")
        if not 0 <= self.steps <= 100_000:
            raise ValueError(f"steps must be from 0 to 100000; not {self.steps}")
        if not (self.step_size > 0 and math.isfinite(self.step_size)):
            raise ValueError(f"step_size must be above 0; not {self.step_size}")
        if not 0 <= self.jitter <= 100_000:
            raise ValueError(f"jitter must be from 0 to 100000; not {self.jitter}")
        if not 0 <= self.seed < 2**63:
            raise ValueError(f"seed must be from 0 to 2**63 - 1; not {self.seed}")

    @property
    def margin(self) -> int:
        """How far beyond a core its gradient must be known, in pixels."""
        return 0 if self.smooth is None else self.smooth.margin

    @property
    def bands(self) -> tuple[float, ...]:
        """What the bands of each objective's gradient are multiplied by."""
        return (1.0,) if self.smooth is None else self.smooth.bands
