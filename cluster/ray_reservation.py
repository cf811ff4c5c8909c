"""Berths reserved on Ray: one placement group each, so that each is granted by itself."""

import ray
from ray.util.placement_group import placement_group, placement_group_table, remove_placement_group

from cluster.resources import Berth, Reserve


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


_PREFIX = "accelerator_type:"


def accelerators() -> tuple[str, ...]:
    """Their kinds, as Ray names them (`H100`), on the cluster that this process has joined.

    Machines that an autoscaler has not brought yet are not among them.
    """
    names = (name for name in ray.cluster_resources() if name.startswith(_PREFIX))
    return tuple(sorted(name.removeprefix(_PREFIX) for name in names))
