"""One step of an octave, before anything is computed; needs no torch."""

from dataclasses import dataclass

from render.dream import Dream
from render.lattice import Lattice, offset
from render.objective import Mix, Objective
from render.schedule import Moment


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
