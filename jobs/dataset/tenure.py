"""Under what a holder's workers work, besides its lease."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Tenure:
    """generation: of the intent. any_device: whether machines of another kind may help, with other
    bytes. at_once: items that a worker has in its hands.
    """

    generation: int
    any_device: bool
    at_once: int
