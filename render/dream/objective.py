"""What the network is to see more of: objectives, which add and scale.

`Objective("a") * 2 + -1 * Objective("b")` is a `Mix`: more of layer a, with weight 2, and less of
layer b. The notation is that of Lucid (tensorflow/lucid, `optvis/objectives.py`).
"""

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar

from render.dream.bounds import Bounds
from render.dream.config import MAX_PATH, STEADY, Moment, Schedule, check_path
from render.networks.builtin import LOGITS

MAX_CHOSEN = 10_000
"""The most channels, classes or positions of an objective."""


_Share = Annotated[float, Bounds(0, 1)]

Position = tuple[_Share, _Share]
"""A point of the picture: x from 0 (left) to 1 (right), y from 0 (top) to 1 (bottom)."""


_NAME_LENGTH = Bounds(1, 1000)
"""The length of the name of a layer or a class."""


_CHOSEN, _INDICES = Bounds(1, MAX_CHOSEN), Bounds(0, 2**31 - 1)

_WEIGHTS = Bounds(-sys.float_info.max, sys.float_info.max)

_Index = Annotated[int, _INDICES]

_Name = Annotated[str, _NAME_LENGTH]


@dataclass(frozen=True)
class Objective:
    """What to maximise (weight above 0) or minimise (below 0).

    An objective is a layer, some of its channels, single neurons, classes, or what a guide shows.

    layer: the layer's name in torch.fx's graph of the network; None if `classes` is given.
    channels: the layer's channels that count, each at least 0, without repetition; None for all.
    classes: class numbers, or names, which are turned into numbers before rendering; each class
        counts at every position of the picture.
    at: positions in the picture; only the units there count. A channel at a position is a neuron.
    guide: a picture; each position is attracted by the guide's position with the most similar
        activations.
    mask: a grey picture of any size; the objective changes nothing where it is black.
    weight: any finite number except 0, relative to the mix's other objectives.
    schedule: factors of the weight; at factor 0 the objective is not computed.

    Raises ValueError for a value out of range, and for values that exclude each other.
    """

    # Read by pydantic where a spec embeds this class, so that nothing is declared twice.
    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "strict": True}

    layer: _Name | None = None
    channels: Annotated[tuple[_Index, ...], _CHOSEN] | None = None
    classes: Annotated[tuple[_Index | _Name, ...], _CHOSEN] | None = None
    at: Annotated[tuple[Position, ...], _CHOSEN] | None = None
    guide: Annotated[Path, MAX_PATH] | None = None
    mask: Annotated[Path, MAX_PATH] | None = None
    weight: Annotated[float, _WEIGHTS] = 1.0
    schedule: Schedule = STEADY

    def __post_init__(self) -> None:
        if (self.layer is None) == (self.classes is None):
            raise ValueError("needs a layer, or classes, and not both")
        if self.layer == "":
            raise ValueError("layer must not be empty")
        if self.layer is not None and len(self.layer) > _NAME_LENGTH.high:
            raise ValueError(f"layer must have at most {_NAME_LENGTH.high} characters")
        check_path("guide", self.guide)
        check_path("mask", self.mask)
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
            raise ValueError(f"weight must be a finite number other than 0; not {self.weight}")

    @property
    def target_layer(self) -> str:
        """The layer whose activations count; for classes it is the network's head."""
        return LOGITS if self.layer is None else self.layer

    @property
    def target_channels(self) -> tuple[int, ...] | None:
        """The channels of the target layer that count; None for all.

        Raises ValueError if classes are still names instead of numbers.
        """
        if self.classes is None:
            return self.channels
        numbers = tuple(one for one in self.classes if isinstance(one, int))
        if len(numbers) < len(self.classes):
            raise ValueError(f"classes {self.classes} are names; turn them into numbers first")
        return numbers

    @property
    def is_linear(self) -> bool:
        """Whether the objective is the sum of the activations and not of their squares.

        A class score is negative at most positions at first, and its square would push it further
        down. A single neuron needs no square to stand out.
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
    if len(chosen) > MAX_CHOSEN:
        raise ValueError(f"{name} must name at most {MAX_CHOSEN}; not {len(chosen)}")
    if any(isinstance(one, str) and len(one) > _NAME_LENGTH.high for one in chosen):
        raise ValueError(f"{name} must have names of at most {_NAME_LENGTH.high} characters")
    numbers = [one for one in chosen if isinstance(one, int)]
    if min(numbers, default=0) < 0:
        raise ValueError(f"{name} must be at least 0; not {min(numbers)}")
    if max(numbers, default=0) >= 2**31:
        raise ValueError(f"{name} must be below 2**31; not {max(numbers)}")
    if len(set(chosen)) < len(chosen):
        raise ValueError(f"{name} must not name one twice")


def _check_positions(positions: tuple[Position, ...]) -> None:
    if not positions:
        raise ValueError("at must not be empty; leave it out for every position")
    if len(positions) > MAX_CHOSEN:
        raise ValueError(f"at must name at most {MAX_CHOSEN} positions; not {len(positions)}")
    for x, y in positions:
        if not (0 <= x <= 1 and 0 <= y <= 1):
            raise ValueError(f"at must be [x, y] from 0 to 1; not [{x:g}, {y:g}]")


@dataclass(frozen=True)
class Mix:
    """A sum of objectives, in their order. Raises ValueError for an empty one."""

    terms: tuple[Objective, ...]

    def __post_init__(self) -> None:
        if not self.terms:
            raise ValueError("a mix needs at least one objective")

    @property
    def layers(self) -> tuple[str, ...]:
        """The objectives' target layers, each once, in their order."""
        return tuple(dict.fromkeys(term.target_layer for term in self.terms))

    def at_moment(self, moment: Moment) -> tuple[Objective, ...]:
        """The objectives with a weight other than 0 at a moment, scaled by their schedules.

        May be empty.
        """
        factors = [term.schedule.factor_at(moment) for term in self.terms]
        return tuple(
            term * factor
            for term, factor in zip(self.terms, factors, strict=True)
            if term.weight * factor
        )

    def map_objectives(self, change: Callable[[Objective], Objective]) -> "Mix":
        """The mix with `change` applied to every objective."""
        return Mix(tuple(map(change, self.terms)))

    def __iter__(self) -> Iterator[Objective]:
        return iter(self.terms)

    def __len__(self) -> int:
        return len(self.terms)

    def __mul__(self, factor: float) -> "Mix":
        return self.map_objectives(lambda term: term * factor)

    __rmul__ = __mul__

    def __add__(self, other: "Objective | Mix") -> "Mix":
        return Mix(self.terms + ((other,) if isinstance(other, Objective) else other.terms))
