"""One step of an octave, before anything is computed; needs no torch."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from render.dream.config import Dream, Moment
from render.dream.objective import Mix, Objective
from render.errors import RenderError
from render.geometry.rect import Size
from render.geometry.sampling_grid import Lattice, offset
from render.geometry.units import Units


@dataclass(frozen=True)
class Step:
    """What a step asks for, and how far it goes.

    objectives: those that count now, with their weights of now. length: the mean change of the
    picture, in normalised space. shift: the jitter, in pixels. bands: what the bands of each
    objective's gradient are multiplied by; one where it is not cut into bands.
    """

    objectives: tuple[Objective, ...]
    length: float
    shift: tuple[int, int]
    bands: tuple[float, ...] = (1.0,)


def step_at(mix: Mix, dream: Dream, lattice: Lattice, moment: Moment, seed: int) -> Step:
    """The step of a dream at a moment; `seed` takes the place of the dream's own."""
    return Step(
        mix.at(moment),
        dream.step_size * dream.schedule.at(moment),
        offset(seed, moment.octave, moment.step, lattice.span),
        dream.bands,
    )


_DEAD = 2.0**-126  # mean |g| whose reciprocal float32 could not hold

_NO_UNITS: Mapping[str, Units] = {}


def scales(
    step: Step,
    sums: Iterable[tuple[float, ...]],
    size: Size,
    units: Mapping[str, Units] = _NO_UNITS,
) -> tuple[float, ...]:
    """What each pull is multiplied by: for each objective, each of its bands.

    `sums` are the tiles' magnitudes, in tile order; `size` is the octave's; `units` of each layer,
    which only neurons need. A pull without any gradient (a layer that is dead all over the picture)
    gets 0. Raises RenderError where gradients are not finite: weights are broken, or the precision
    too narrow.
    """
    totals = [0.0] * (len(step.objectives) * len(step.bands))
    for tile in sums:
        totals = [total + part for total, part in zip(totals, tile, strict=True)]
    if not all(map(math.isfinite, totals)):
        raise RenderError(
            "gradients are not finite: the weights are damaged, or the precision is too narrow; "
            "check the weights file, or use precision: float32"
        )
    shares = sum(abs(objective.weight) for objective in step.objectives)
    wanted = [
        (objective.weight / shares * band * step.length, _area(objective, size, units))
        for objective in step.objectives
        for band in step.bands
    ]
    means = [total / (area * 3) for total, (_, area) in zip(totals, wanted, strict=True)]
    return tuple(
        factor / mean if mean > _DEAD else 0.0
        for mean, (factor, _) in zip(means, wanted, strict=True)
    )


def _area(objective: Objective, size: Size, units: Mapping[str, Units]) -> int:
    """The pixels over which a mean is taken: all, or as many as its neurons can see.

    A neuron sees no more of a poster than of a postcard, and is to change it as much.
    """
    whole = size[0] * size[1]
    if objective.at is None:
        return whole
    return min(whole, len(objective.at) * units[objective.seen].field ** 2)
