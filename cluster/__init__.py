"""Crews and pools: stateful members on machines, on Ray or in this process. See README.md.

The caller chooses the members' class; this package knows nothing about pictures. `__all__` lists
its public names. Importing the package does not load Ray. `RayCrew`, `RayPool`, `RayReservation`
and `gpu_types` load it, so use them within `local_ray` or `joined_ray`.
"""

import importlib
from typing import TYPE_CHECKING

from cluster.actor import is_cancelled
from cluster.crew import Arguments, Crew, ObjectRef, Receivers
from cluster.errors import (
    CallCancelled,
    ClusterError,
    ClusterUnreachable,
    InsufficientCapacity,
    MemberFailed,
    MemberLost,
    Quarantined,
)
from cluster.local import LocalCrew, LocalPool
from cluster.pool import Pool
from cluster.ray_session import joined_ray, local_ray
from cluster.resources import Reservation, Resources
from cluster.task import Failed, Finished, Outcome, Task

if TYPE_CHECKING:
    from cluster.ray_crew import RayCrew
    from cluster.ray_pool import RayPool
    from cluster.ray_query import Capacity, query_capacity, query_nodes
    from cluster.ray_reservation import RayReservation, gpu_types

__all__ = [
    "Arguments",
    "CallCancelled",
    "Capacity",
    "ClusterError",
    "ClusterUnreachable",
    "Crew",
    "Failed",
    "Finished",
    "InsufficientCapacity",
    "LocalCrew",
    "LocalPool",
    "MemberFailed",
    "MemberLost",
    "ObjectRef",
    "Outcome",
    "Pool",
    "Quarantined",
    "RayCrew",
    "RayPool",
    "RayReservation",
    "Receivers",
    "Reservation",
    "Resources",
    "Task",
    "gpu_types",
    "is_cancelled",
    "joined_ray",
    "local_ray",
    "query_capacity",
    "query_nodes",
]

_LAZY = {
    "RayCrew": "ray_crew",
    "RayPool": "ray_pool",
    "RayReservation": "ray_reservation",
    "gpu_types": "ray_reservation",
    # This module also runs as a program, so it must not be imported before it starts.
    "Capacity": "ray_query",
    "query_capacity": "ray_query",
    "query_nodes": "ray_query",
}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
