"""Berths reserved on Ray: one placement group each, so that each is granted by itself."""

import ray
from ray.util.placement_group import (
    placement_group,
    placement_group_table,
    remove_placement_group,
)

from cluster.berth import Berth
from cluster.reserve import Reserve


class RayReserve(Reserve):
    """A reserve on the cluster that this process has joined."""

    def __init__(self, berth: Berth, wanted: int) -> None:
        self._places = [placement_group([berth.bundle()]) for _ in range(wanted)]

    @property
    def granted(self) -> int:
        """How many have been granted so far, by one question to the cluster's head."""
        if not self._places:
            return 0
        table = placement_group_table()
        states = [table.get(place.id.hex(), {}).get("state") for place in self._places]
        return states.count("CREATED")

    def close(self) -> None:
        """Let all of them go."""
        if ray.is_initialized():
            for place in self._places:
                remove_placement_group(place)
        self._places.clear()
