"""What a step makes the network see more of: values that add and scale.

`Objective("a") * 2 + -1 * Objective("b")` is a `Mix`: more of layer a, twice as much, less of b.
The notation is that of lucid's objectives (tensorflow/lucid, `optvis/objectives.py`).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar


@dataclass(frozen=True)
class Objective:
    """One layer, or some channels of it, seen more (weight above 0) or less (below 0).

    layer: the layer's name in torchvision's graph of the network.
    channels: which of the layer's channels count, each at least 0, none twice; None means all.
    weight: any finite number but 0, relative to the mix's other objectives.

    Raises ValueError for a value out of its range.
    """

    # Read by pydantic where a spec embeds this class, so that nothing is declared twice.
    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid", "strict": True}

    layer: str
    channels: tuple[int, ...] | None = None
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not self.layer:
            raise ValueError("layer must not be empty")
        if self.channels is not None:
            self._check(self.channels)
        if self.weight == 0 or not math.isfinite(self.weight):
            raise ValueError(f"weight must be a finite number but 0; not {self.weight}")

    @staticmethod
    def _check(channels: tuple[int, ...]) -> None:
        if not channels:
            raise ValueError("channels must not be empty; leave it out for all channels")
        if min(channels) < 0:
            raise ValueError(f"channels must be at least 0; not {min(channels)}")
        if len(set(channels)) < len(channels):
            raise ValueError("channels must not name one twice")

    def __mul__(self, factor: float) -> "Objective":
        return replace(self, weight=self.weight * factor)

    __rmul__ = __mul__

    def __add__(self, other: "Objective | Mix") -> "Mix":
        return Mix((self,)) + other


@dataclass(frozen=True)
class Mix:
    """Objectives together, in their order. Raises ValueError where there are none."""

    terms: tuple[Objective, ...]

    def __post_init__(self) -> None:
        if not self.terms:
            raise ValueError("a mix needs at least one objective")

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that the objectives name, each once, in their order."""
        return tuple(dict.fromkeys(term.layer for term in self.terms))

    def __iter__(self) -> Iterator[Objective]:
        return iter(self.terms)

    def __len__(self) -> int:
        return len(self.terms)

    def __mul__(self, factor: float) -> "Mix":
        return Mix(tuple(term * factor for term in self.terms))

    __rmul__ = __mul__

    def __add__(self, other: "Objective | Mix") -> "Mix":
        return Mix(self.terms + ((other,) if isinstance(other, Objective) else other.terms))
