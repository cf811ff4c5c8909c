"""How far tiles are exact in each network. Loads torch only to find it out the first time."""

from dataclasses import asdict, dataclass
from typing import Any

from render.networks.disk_cache import remembered


@dataclass(frozen=True)
class Exactness:
    """`layer` is a network's deepest with exact tiles; its `stride` and `field` in pixels.

    `classes` tells whether classes have exact tiles, with `classes_field` (0 where not); `reason`,
    why nothing further has, is empty where all has.
    """

    layer: str
    stride: int
    field: int
    classes: bool
    classes_field: int
    reason: str

    @property
    def halo(self) -> int:
        """The context that tiles need at that layer, in pixels a side."""
        return max(0, self.field - 1)


def exactness(network: str) -> Exactness:
    """How far tiles are exact in a network; needs no weights. NetworkError if it is not known."""

    def find_out() -> dict[str, Any]:
        return asdict(_measured(network))

    return Exactness(**remembered("exactness", {"network": network}, find_out))


def _measured(network: str) -> Exactness:
    from render.errors import LayerError
    from render.networks.builtin import LOGITS
    from render.networks.catalogue import build
    from render.networks.graph import trace
    from render.networks.head import with_logits
    from render.networks.receptive_field import Receptive, receptive_fields

    try:
        table = receptive_fields(with_logits(trace(build(network))))
        classes = table.pop(LOGITS)
    except LayerError as why:
        table = receptive_fields(trace(build(network)))
        classes = Receptive(0, 0, 0, str(why))
    layer, seen = [(name, seen) for name, seen in table.items() if not seen.reason][-1]
    reason = ""
    if classes.reason:
        reason = next((one.reason for one in table.values() if one.reason), classes.reason)
    return Exactness(layer, seen.stride, seen.field, not classes.reason, classes.field, reason)
