"""Reservations on Ray, and the GPU types of its machines. Imports Ray."""

import ray
from ray.util.placement_group import placement_group, placement_group_table, remove_placement_group

from cluster.resources import Reservation, Resources


class RayReservation(Reservation):
    """A reservation on the cluster that this process has joined.

    Each member's resources are a separate placement group, so Ray grants them one by one.
    """

    def __init__(self, resources: Resources, wanted: int) -> None:
        """Request `resources` for each of `wanted` members."""
        self._groups = [placement_group([resources.bundle()]) for _ in range(wanted)]

    @property
    def granted(self) -> int:
        """How many requests have been granted so far. Asks the head once."""
        if not self._groups:
            return 0
        table = placement_group_table()
        states = [table.get(group.id.hex(), {}).get("state") for group in self._groups]
        return states.count("CREATED")

    def close(self) -> None:
        """Drop all requests and free the granted resources."""
        if ray.is_initialized():
            for group in self._groups:
                remove_placement_group(group)
        self._groups.clear()


_GPU_TYPE = "accelerator_type:"


def gpu_types() -> tuple[str, ...]:
    """The GPU types of the cluster that this process has joined, as Ray names them (`H100`).

    Machines that an autoscaler has not started yet are not included.
    """
    names = (name for name in ray.cluster_resources() if name.startswith(_GPU_TYPE))
    return tuple(sorted(name.removeprefix(_GPU_TYPE) for name in names))
