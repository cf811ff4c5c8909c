"""Where a holder's work is done: in this process, on a Ray of its own, or on a cluster."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.holding.crews import Start, in_process, on_own_ray, on_ray
from jobs.holding.muster import StartReserve
from jobs.holding.pools import StartPool, pool_in_process, pool_on_own_ray, pool_on_ray

if TYPE_CHECKING:
    from cluster.ray_crew import RayCrew


@dataclass(frozen=True)
class Ground:
    """A way to start crews, for posters, and one to start pools, for datasets.

    reserve: how to ask for berths, where machines come and go. gpus: the kinds that those have
    which are there.
    """

    crew: Start
    pool: StartPool
    reserve: StartReserve | None = None
    gpus: tuple[str, ...] = ()


THIS_PROCESS = Ground(in_process, pool_in_process)
OWN_RAY = Ground(on_own_ray, pool_on_own_ray)


def cluster_ground(ray_crew: "type[RayCrew]") -> Ground:
    """A Ray that this process has joined."""
    from cluster.accelerators import accelerators
    from cluster.ray_reserve import RayReserve

    return Ground(on_ray(ray_crew), pool_on_ray, RayReserve, accelerators())
