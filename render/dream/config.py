"""The parameters of a dream: octaves, steps, step size, jitter, smoothing, colours."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, get_args

from render.dream.bounds import Bounds
from render.geometry.edges import Edges
from render.geometry.sampling_grid import SamplingGrid


class Moment(NamedTuple):
    """A point in a dream: `octave` of `octaves` and `step` of `steps`, counted from 0."""

    octave: int
    octaves: int
    step: int
    steps: int


_MAX_VALUES, _MAX_FACTOR = 1000, 1e6

_OCTAVES, _SCALES, _STEPS = Bounds(1, 64), Bounds(1.05, 4), Bounds(0, 100_000)

_Factors = Annotated[
    tuple[Annotated[float, Bounds(-_MAX_FACTOR, _MAX_FACTOR)], ...], Bounds(1, _MAX_VALUES)
]


@dataclass(frozen=True)
class Schedule:
    """Factors over the octaves, and over the steps of each octave; at a moment both multiply.

    The values are spread evenly from the first octave (or step) to the last, with linear
    interpolation between them: `octaves: [1, 0]` fades out, `steps: [0, 1, 0]` swells. With a
    single octave (or step) the first value counts.

    octaves, steps: factors, at most 1000 of each, from minus a million to a million.
    over: spread the values of `octaves` over so many octaves, from 1 to 64; later octaves have the
        last value. So the factors of the first octaves do not depend on the final size. None: over
        all octaves.

    Raises ValueError for an empty list, more than 1000 values, a value beyond a million, or another
    `over`.
    """

    # Read by pydantic where a spec embeds this class, so that nothing is declared twice.
    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "strict": True}

    octaves: _Factors = (1.0,)
    steps: _Factors = (1.0,)
    over: Annotated[int, _OCTAVES] | None = None

    def __post_init__(self) -> None:
        for name, values in (("octaves", self.octaves), ("steps", self.steps)):
            if not values:
                raise ValueError(f"{name} needs at least one value")
            if len(values) > _MAX_VALUES:
                raise ValueError(f"{name} has {len(values)} values; at most {_MAX_VALUES}")
            if not all(abs(value) <= _MAX_FACTOR for value in values):
                raise ValueError(f"{name} must be finite numbers, at most {_MAX_FACTOR:g}")
        if self.over is not None and self.over not in _OCTAVES:
            raise ValueError(f"over must be from 1 to 64 octaves; not {self.over}")

    def factor_at(self, moment: Moment) -> float:
        """The factor at a moment."""
        return _interpolate(
            self.octaves, moment.octave, self.over or moment.octaves
        ) * _interpolate(self.steps, moment.step, moment.steps)


STEADY = Schedule()
"""Factor 1 throughout."""


def _interpolate(values: tuple[float, ...], index: int, count: int) -> float:
    """The value at point `index` of `count`, by linear interpolation; later ones are the last."""
    if len(values) == 1 or count <= 1:
        return values[0]
    along = min(index / (count - 1), 1.0) * (len(values) - 1)
    before = min(int(along), len(values) - 2)
    share = along - before
    return values[before] * (1 - share) + values[before + 1] * share


_CUTOFF = 3.0  # standard deviations; 0.3% of a Gaussian lies beyond

_MAX_SIGMA = 64.0

_MAX_BANDS = 7

_MAX_BLURS = 16

_Sigmas = Annotated[tuple[Annotated[float, Bounds(0.3, _MAX_SIGMA)], ...], Bounds(1, _MAX_BLURS)]

_BandWeights = Annotated[
    tuple[Annotated[float, Bounds(0, _MAX_FACTOR)], ...], Bounds(2, _MAX_BANDS)
]


@dataclass(frozen=True)
class Smooth:
    """How gradients are smoothed over several scales. Tiles give exactly the untiled result.

    gaussian: 1 to 16 standard deviations in pixels, from 0.3 to 64. The result is the mean of these
        blurs (gordicaleksa/pytorch-deepdream uses three).
    laplacian: weights of frequency bands from fine to coarse, 2 to 7 of them, each at least 0. Each
        band is an octave wide; the last contains everything coarser. Each band is divided by its
        own mean over the whole picture, so coarse shapes grow as fast as fine ones (the Laplacian
        pyramid of Mordvintsev et al. 2015; Burt and Adelson 1983). The pyramid is not decimated, so
        it does not depend on the origin of the pixel grid.

    Raises ValueError for a value out of range, and unless exactly one of the two is given.
    """

    # Read by pydantic where a spec embeds this class, so that nothing is declared twice.
    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "strict": True}

    gaussian: _Sigmas | None = None
    laplacian: _BandWeights | None = None

    def __post_init__(self) -> None:
        if (self.gaussian is None) == (self.laplacian is None):
            raise ValueError("must be one of gaussian: [1, 2] and laplacian: [1, 1, 1]")
        if self.gaussian is not None and not 1 <= len(self.gaussian) <= _MAX_BLURS:
            raise ValueError(f"gaussian needs 1 to {_MAX_BLURS} deviations")
        for sigma in self.gaussian or ():
            if not 0.3 <= sigma <= _MAX_SIGMA:
                raise ValueError(
                    f"gaussian must be from 0.3 to {_MAX_SIGMA:g} pixels; not {sigma:g}"
                )
        if self.laplacian is not None:
            if not 2 <= len(self.laplacian) <= _MAX_BANDS:
                raise ValueError(f"laplacian needs 2 to {_MAX_BANDS} weights")
            if not all(0 <= weight <= _MAX_FACTOR for weight in self.laplacian):
                raise ValueError(f"laplacian must be finite numbers from 0 to {_MAX_FACTOR:g}")
            if not any(self.laplacian):
                raise ValueError("laplacian must not be all 0")

    @property
    def margin(self) -> int:
        """How many pixels on each side a smoothed gradient needs."""
        if self.laplacian is not None:
            # Two taps on each side, twice as far apart at each level (Burt and Adelson 1983).
            return 2 * ((1 << (len(self.laplacian) - 1)) - 1)
        return max(map(gaussian_radius, self.gaussian or ()))

    @property
    def band_factors(self) -> tuple[float, ...]:
        """The factor of each band, after the band's division by its own mean.

        Bands are almost independent, so their squares add up. The sum of the squares is 1.
        """
        if self.laplacian is None:
            return (1.0,)
        norm = math.sqrt(sum(weight * weight for weight in self.laplacian))
        return tuple(weight / norm for weight in self.laplacian)


def gaussian_radius(sigma: float) -> int:
    """The number of taps of a Gaussian on each side of its centre."""
    return math.ceil(_CUTOFF * sigma)


KeptColours = Literal["colours"]

Palette = Literal["natural", "free"]

Limit = Literal["soft", "hard"]

Ascent = Literal["gradient", "search"]

TRIALS = 32
"""How many pairs of changes a step of a search tries."""

MAX_SEARCH_SIDE = 512
"""The longest side of a picture that is searched, in pixels: it must be one tile."""


_SHAPES_FIRST = Schedule(octaves=(1.3, 0.7), over=8)

_ALL_SCALES = Smooth(laplacian=(0.7, 1.0, 1.0, 0.6))

_STEP_SIZES, _JITTERS = Bounds(0, _MAX_FACTOR, above=True), Bounds(0, 100_000)

_SEEDS = Bounds(0, 2**63 - 1)

MAX_PATH = Bounds(1, 4096)
"""The length of a path, as Linux limits it."""


@dataclass(frozen=True)
class Dream:
    """The parameters of gradient ascent, the same for every tile of every octave.

    The names, and the defaults of octaves, steps and jitter, are those of Google's notebook
    (Mordvintsev, Olah, Tyka 2015, "DeepDreaming with TensorFlow / Caffe"). The other defaults were
    chosen by eye: coarse shapes grow with fine ones, colours stay natural, nothing burns out.

    octaves: the number of sizes at which the picture is rendered, from 1 to 64. `auto` adds octaves
        with the output's size, so the largest motif keeps its share of the picture, and a small
        draft is the beginning of a large print (`render.dream.octaves`).
    octave_scale: the ratio of two successive octaves' sizes, from 1.05 to 4.
    steps: gradient steps in each octave, from 0 to 100000; 0 makes a plain resize.
    step_size: the mean |change| of a step, above 0 and up to a million, in normalised space: the
        gradient is divided by its mean |g| over the whole picture.
    jitter: the largest shift of the sampling grid in pixels of the octave, 0 to 100000. It is
        rounded up to a multiple of the network's stride; 0 means none.
    seed: decides the jitter of every step, from 0 to 2**63 - 1. 0 dreams the composition that the
        picture suggests; any other seed moves motifs to other places (`render.dream.start_noise`).
    schedule: factors of step_size over octaves and steps.
    smooth: how gradients are smoothed; None for no smoothing.
    keep: `colours` changes only the lightness of pixels.
    palette: `natural` prefers colour changes that are common in photographs, mostly lightness;
        `free` treats red, green and blue independently.
    limit: `soft` slows changes down near black and white, so nothing burns out; `hard` clips them.
    strength: a grey picture of any size; nothing changes where it is black.
    edges: what lies beyond the picture's edges: `zero` (the mean colour), `mirror` (its mirror
        image), or `wrap` (its other side, so that it repeats without a seam). `wrap-x` closes left
        and right only, `wrap-y` top and bottom.

    ascent: `gradient` follows the network's gradient. `search` tries random changes and follows
        those that help (`render.dream.search`): for pictures of at most 512 x 512 pixels, with some
        hundred steps, and `edges: zero`. It finds coarse shapes, and ignores `smooth`.

    Raises ValueError for a value out of range.
    """

    # Read by pydantic where a spec embeds this class, so that nothing is declared twice.
    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "strict": True}

    octaves: Annotated[int, _OCTAVES] | Literal["auto"] = "auto"
    octave_scale: Annotated[float, _SCALES] = 1.4
    steps: Annotated[int, _STEPS] = 10
    step_size: Annotated[float, _STEP_SIZES] = 0.04
    jitter: Annotated[int, _JITTERS] = 32
    seed: Annotated[int, _SEEDS] = 0
    schedule: Schedule = _SHAPES_FIRST
    smooth: Smooth | None = _ALL_SCALES
    keep: KeptColours | None = None
    palette: Palette = "natural"
    limit: Limit = "soft"
    strength: Annotated[Path, MAX_PATH] | None = None
    edges: Edges = "zero"
    ascent: Ascent = "gradient"

    def __post_init__(self) -> None:
        if self.octaves != "auto" and self.octaves not in _OCTAVES:
            raise ValueError(f"octaves must be from 1 to 64, or auto; not {self.octaves}")
        if self.octave_scale not in _SCALES:
            raise ValueError(f"octave_scale must be from 1.05 to 4; not {self.octave_scale}")
        if self.steps not in _STEPS:
            raise ValueError(f"steps must be from 0 to 100000; not {self.steps}")
        if not (self.step_size > 0 and math.isfinite(self.step_size)):
            raise ValueError(f"step_size must be above 0; not {self.step_size}")
        if self.step_size > _MAX_FACTOR:
            raise ValueError(f"step_size must be at most {_MAX_FACTOR:g}; not {self.step_size}")
        if self.jitter not in _JITTERS:
            raise ValueError(f"jitter must be from 0 to 100000; not {self.jitter}")
        if self.seed not in _SEEDS:
            raise ValueError(f"seed must be from 0 to 2**63 - 1; not {self.seed}")
        check_path("strength", self.strength)
        if self.edges not in get_args(Edges):
            raise ValueError(f"edges must be one of {', '.join(get_args(Edges))}; not {self.edges}")
        if self.ascent not in get_args(Ascent):
            raise ValueError(f"ascent must be gradient or search; not {self.ascent}")
        if self.ascent == "search" and self.edges != "zero":
            raise ValueError("ascent: search needs edges: zero")

    @property
    def margin(self) -> int:
        """How many pixels around a tile's core the gradient is needed: smoothing reads them."""
        return 0 if self.smoothing is None else self.smoothing.margin

    @property
    def smoothing(self) -> Smooth | None:
        """How gradients are smoothed: not those of a search, whose changes are smooth."""
        return self.smooth if self.ascent == "gradient" else None

    @property
    def passes(self) -> float:
        """The arithmetic of a step, as a multiple of one pass forward and backward."""
        # A pass backward costs about twice as much as one forward.
        return 1.0 if self.ascent == "gradient" else 2 * TRIALS / 3

    def sampling_grid(self, stride: int, field: int) -> SamplingGrid:
        """The sampling grid of a network with this stride and receptive field."""
        if self.ascent == "search":
            # Its tile is the whole picture, which needs no halo: only so much that units exist.
            field = min(field, 3 * stride)
        return SamplingGrid(stride, field, self.jitter, self.margin, self.edges)

    def tile(self, wanted: int | Literal["auto"]) -> int | Literal["auto"]:
        """The side of tiles, or `auto`: a search has one tile, whatever is wanted."""
        return wanted if self.ascent == "gradient" else MAX_SEARCH_SIDE

    @property
    def band_factors(self) -> tuple[float, ...]:
        """The factor of each frequency band of a gradient; (1,) without bands."""
        return (1.0,) if self.smoothing is None else self.smoothing.band_factors


def check_path(name: str, path: Path | None) -> None:
    """Raise ValueError for a path that no system opens: it is too long."""
    if path is not None and len(str(path)) not in MAX_PATH:
        raise ValueError(f"{name} must be a path of at most {MAX_PATH.high} characters")
