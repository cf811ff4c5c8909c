"""How a number changes over a dream: from octave to octave, and from step to step."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple


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
