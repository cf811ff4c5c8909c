"""What a user chooses for a fine-tuning, and its progress."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from render.device import Device, ResolvedPrecision

_BATCHES_EACH, _LEAST_BATCHES, _MOST_BATCHES = 120, 600, 6_000


@dataclass(frozen=True)
class FineTuneSettings:
    """The settings of a fine-tuning.

    licence: of the weights, for their metadata.
    keep_classes: whether the network also keeps pareidolia's own classes.
    batches: how many to train with (`usual_batches`).
    seed: decides the held-out pictures, the batches and the class pictures.
    """

    licence: str = "not stated"
    keep_classes: bool = False
    batches: int = _LEAST_BATCHES
    seed: int = 0


def usual_batches(motifs: int) -> int:
    """How many batches so many motifs need: each motif is then seen some thousand times."""
    return min(_MOST_BATCHES, max(_LEAST_BATCHES, _BATCHES_EACH * motifs))


@dataclass(frozen=True)
class Machine:
    """Where a fine-tuning is computed. Files of other kinds of machines differ in their last bits.

    precision: of convolutions.
    """

    device: Device
    precision: ResolvedPrecision


StageName = Literal["read", "draw", "train", "judge", "dream"]


class Stage(NamedTuple):
    """How far a fine-tuning is.

    name: reading pictures, drawing pareidolia's own motifs, training, judging by the held-out
        pictures, or dreaming the class pictures. done, total: pictures, batches or classes.
    loss: the moving average of the loss while training.
    """

    name: StageName
    done: int
    total: int
    loss: float | None = None


Watch = Callable[[Stage], None]
