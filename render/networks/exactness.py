"""The deepest layer of each network whose tiles are exact.

Loads torch only when the disk cache has no entry.
"""

from dataclasses import asdict, dataclass
from typing import Any

from render.networks.architecture import Architecture, named_network
from render.networks.disk_cache import cached_on_disk


@dataclass(frozen=True)
class Exactness:
    """How much of a network can be tiled exactly.

    layer: the deepest layer with exact tiles.
    stride, field: its stride and receptive field, in pixels.
    has_exact_classes: whether the classes have exact tiles.
    classes_field: their receptive field in pixels; 0 if they have none.
    reason: why deeper layers have no exact tiles; empty if all layers have them.
    """

    layer: str
    stride: int
    field: int
    has_exact_classes: bool
    classes_field: int
    reason: str

    @property
    def halo(self) -> int:
        """The halo that tiles need at that layer, in pixels on each side."""
        return max(0, self.field - 1)


def network_exactness(network: str) -> Exactness:
    """Return how much of a network, a name or an ONNX file, can be tiled exactly.

    Needs no weights. Raises NetworkError if the network is not known.
    """
    architecture = named_network(network)

    def compute() -> dict[str, Any]:
        return asdict(_measure(architecture))

    return Exactness(**cached_on_disk("exactness", architecture.cache_key(), compute))


def _measure(architecture: Architecture) -> Exactness:
    from render.errors import LayerError
    from render.networks.builtin import LOGITS
    from render.networks.graph import trace
    from render.networks.head import with_logits
    from render.networks.receptive_field import ReceptiveField, receptive_fields

    try:
        table = receptive_fields(with_logits(trace(architecture.build())))
        classes = table.pop(LOGITS)
    except LayerError as error:
        table = receptive_fields(trace(architecture.build()))
        classes = ReceptiveField(0, 0, 0, str(error))
    exact = [(name, field) for name, field in table.items() if not field.reason]
    layer, deepest = exact[-1] if exact else ("none", ReceptiveField(0, 0, 0))
    reason = ""
    if classes.reason:
        reason = next((one.reason for one in table.values() if one.reason), classes.reason)
    return Exactness(
        layer, deepest.stride, deepest.field, not classes.reason, classes.field, reason
    )
