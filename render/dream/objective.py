"""What a step makes the network see more of: values that add and scale.

`Objective("a") * 2 + -1 * Objective("b")` is a `Mix`: more of layer a, twice as much, less of b.
The notation is that of lucid's objectives (tensorflow/lucid, `optvis/objectives.py`).
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from render.dream.config import STEADY, Moment, Schedule
from render.networks.builtin import LOGITS

Position = tuple[float, float]
"""Of a neuron in the picture: x from 0 (left) to 1 (right), y from 0 (top) to 1 (bottom)."""


@dataclass(frozen=True)
class Objective:
    """Something that is to be seen more (weight above 0) or less (below 0): a layer, some of its
    channels, neurons, classes, or what a guide shows.

    layer: the layer's name in torchvision's graph of the network; None where `classes` are named.
    channels: which of the layer's channels count, each at least 0, none twice; None means all.
    classes: what the network's head calls by these numbers, or names, which a plan turns into
        numbers; at every position of the picture.
    at: positions in the picture; only the units that lie there count. A channel with a position is
        a neuron.
    guide: a picture; each place is drawn to that of the guide which excites the layer most alike.
    mask: a picture, grey, of any size; where it is black the objective changes nothing.
    weight: any finite number but 0, relative to the mix's other objectives.
    schedule: factors of the weight; where one is 0 the objective is not even looked at.

    Raises ValueError for a value out of its range, or what does not go together.
    """

    # Read by pydantic where a spec embeds this class, so that nothing is declared twice.
    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "strict": True}

    layer: str | None = None
    channels: tuple[int, ...] | None = None
    classes: tuple[int | str, ...] | None = None
    at: tuple[Position, ...] | None = None
    guide: Path | None = None
    mask: Path | None = None
    weight: float = 1.0
    schedule: Schedule = STEADY

    def __post_init__(self) -> None:
        if (self.layer is None) == (self.classes is None):
            raise ValueError("needs a layer, or classes, and not both")
        if self.layer == "":
            raise ValueError("layer must not be empty")
        if self.channels is not None:
            _check_chosen("channels", self.channels)
        if self.classes is not None:
            _check_chosen("classes", self.classes)
            if self.channels is not None:
                raise ValueError("channels are a layer's; classes have none")
        if self.at is not None:
            _check_positions(self.at)
        if self.guide is not None and (self.layer is None or self.channels or self.at):
            raise ValueError("guide goes with a whole layer, without channels, classes or at")
        if self.weight == 0 or not math.isfinite(self.weight):
            raise ValueError(f"weight must be a finite number but 0; not {self.weight}")

    @property
    def seen(self) -> str:
        """The layer whose units are looked at: that of the head where classes are named."""
        return LOGITS if self.layer is None else self.layer

    @property
    def numbers(self) -> tuple[int, ...] | None:
        """The channels of the layer `seen` that count; None means all.

        Raises ValueError while classes have names instead of numbers.
        """
        if self.classes is None:
            return self.channels
        numbers = tuple(one for one in self.classes if isinstance(one, int))
        if len(numbers) < len(self.classes):
            raise ValueError(f"classes {self.classes} have names, which a plan makes numbers")
        return numbers

    @property
    def is_linear(self) -> bool:
        """Whether units count by what they say, rather than by its square.

        A class is a sum over positions, of which most say no at first; and one neuron needs no
        square to stand out.
        """
        return self.classes is not None or self.at is not None

    def __mul__(self, factor: float) -> "Objective":
        return replace(self, weight=self.weight * factor)

    __rmul__ = __mul__

    def __add__(self, other: "Objective | Mix") -> "Mix":
        return Mix((self,)) + other


def _check_chosen(name: str, chosen: tuple[int | str, ...]) -> None:
    if not chosen:
        raise ValueError(
            f"{name} must not be empty" + ("; leave it out for all channels" * (name == "channels"))
        )
    lowest = min((one for one in chosen if isinstance(one, int)), default=0)
    if lowest < 0:
        raise ValueError(f"{name} must be at least 0; not {lowest}")
    if len(set(chosen)) < len(chosen):
        raise ValueError(f"{name} must not name one twice")


def _check_positions(positions: tuple[Position, ...]) -> None:
    if not positions:
        raise ValueError("at must not be empty; leave it out for every position")
    for x, y in positions:
        if not (0 <= x <= 1 and 0 <= y <= 1):
            raise ValueError(f"at must be [x, y] from 0 to 1; not [{x:g}, {y:g}]")


@dataclass(frozen=True)
class Mix:
    """Objectives together, in their order. Raises ValueError where there are none."""

    terms: tuple[Objective, ...]

    def __post_init__(self) -> None:
        if not self.terms:
            raise ValueError("a mix needs at least one objective")

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that the objectives look at, each once, in their order."""
        return tuple(dict.fromkeys(term.seen for term in self.terms))

    def at(self, moment: Moment) -> tuple[Objective, ...]:
        """The objectives that count at a moment, with their weights of then; maybe none."""
        factors = [term.schedule.at(moment) for term in self.terms]
        return tuple(
            term * factor
            for term, factor in zip(self.terms, factors, strict=True)
            if term.weight * factor
        )

    def each(self, change: Callable[[Objective], Objective]) -> "Mix":
        """The mix with every objective changed."""
        return Mix(tuple(map(change, self.terms)))

    def __iter__(self) -> Iterator[Objective]:
        return iter(self.terms)

    def __len__(self) -> int:
        return len(self.terms)

    def __mul__(self, factor: float) -> "Mix":
        return self.each(lambda term: term * factor)

    __rmul__ = __mul__

    def __add__(self, other: "Objective | Mix") -> "Mix":
        return Mix(self.terms + ((other,) if isinstance(other, Objective) else other.terms))
