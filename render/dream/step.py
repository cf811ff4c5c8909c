"""The plan of one step, and its global scale. Needs no torch, so a coordinator can compute it."""

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from render.dream.config import Dream, Moment
from render.dream.objective import Mix, Objective
from render.errors import RenderError
from render.geometry.edges import axis_edges
from render.geometry.rect import Size
from render.geometry.sampling_grid import SamplingGrid, Shift, jitter_shift
from render.geometry.units import UnitGrid


@dataclass(frozen=True)
class Step:
    """One gradient ascent step.

    objectives: those that count in this step, with the weights of this step.
    length: eta, the mean |change| of the picture in normalised space.
    shift: the jitter in pixels.
    band_factors: of each frequency band of an objective's gradient; (1,) without bands.
    draw: which changes a search tries, from 0 to 2**63 - 1.
    rounds_means: whether the means of |g| are rounded to 24 bits. On a torus no pixel is the first,
        and then the order of their sum does not change a bit.
    """

    objectives: tuple[Objective, ...]
    length: float
    shift: Shift
    band_factors: tuple[float, ...] = (1.0,)
    draw: int = 0
    rounds_means: bool = False


def step_at(mix: Mix, dream: Dream, sampling_grid: SamplingGrid, moment: Moment, seed: int) -> Step:
    """The step of a dream at a moment. `seed` replaces the dream's own seed."""
    return Step(
        mix.at_moment(moment),
        dream.step_size * dream.schedule.factor_at(moment),
        jitter_shift(seed, moment.octave, moment.step, sampling_grid.span),
        dream.band_factors,
        _draw(seed, moment),
        rounds_means="wrap" in axis_edges(dream.edges),
    )


def _draw(seed: int, moment: Moment) -> int:
    """A hash, so that a step's trials are known without the steps before it."""
    text = f"search/{seed}/{moment.octave}/{moment.step}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


_ZERO = 2.0**-126  # the reciprocal of a smaller mean |g| overflows float32

_NO_UNITS: Mapping[str, UnitGrid] = {}


def step_scales(
    step: Step,
    sums: Iterable[tuple[float, ...]],
    size: Size,
    units: Mapping[str, UnitGrid] = _NO_UNITS,
) -> tuple[float, ...]:
    """The scale of each band gradient, by objective: eta (w_k / sum|w|) c_b / mean|g_kb|.

    The symbols are those of `render.dream.reference`. `sums` are the tiles' `abs_sums` in tile
    order; the order fixes the rounding. `size` is the octave's. `units` of each layer are needed
    for neurons only. A band gradient that is zero all over the picture (no unit of the layer is
    active) gets the scale 0.

    Raises RenderError if gradients are not finite: the weights are damaged, or the precision is too
    narrow.
    """
    totals = [0.0] * (len(step.objectives) * len(step.band_factors))
    for tile in sums:
        totals = [total + part for total, part in zip(totals, tile, strict=True)]
    if not all(map(math.isfinite, totals)):
        raise RenderError(
            "gradients are not finite: the weights are damaged, or the precision is too narrow; "
            "check the weights file, or use precision: float32"
        )
    weights = sum(abs(objective.weight) for objective in step.objectives)
    factors = [
        (objective.weight / weights * band * step.length, _area(objective, size, units))
        for objective in step.objectives
        for band in step.band_factors
    ]
    means = [total / (area * 3) for total, (_, area) in zip(totals, factors, strict=True)]
    if step.rounds_means:
        means = [_rounded(mean) for mean in means]
    return tuple(
        factor / mean if mean > _ZERO else 0.0
        for mean, (factor, _) in zip(means, factors, strict=True)
    )


def _rounded(mean: float) -> float:
    """The nearest number of 24 bits, as many as float32 has.

    Sums in another order differ by some 1e-15, so one in about 10^7 is rounded to another number.
    """
    mantissa, exponent = math.frexp(mean)
    return math.ldexp(round(math.ldexp(mantissa, 24)), exponent - 24)


def _area(objective: Objective, size: Size, units: Mapping[str, UnitGrid]) -> int:
    """The pixels over which the mean is taken: the picture, or what the chosen neurons can see.

    A neuron sees as much of a small picture as of a poster, and so changes both by the same.
    """
    whole = size[0] * size[1]
    if objective.at is None:
        return whole
    return min(whole, len(objective.at) * units[objective.target_layer].field ** 2)
