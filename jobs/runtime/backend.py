"""Where crews and pools run: in this process, on a private Ray, or on a cluster."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cluster.crew import Crew
from cluster.pool import Pool
from cluster.resources import Resources
from jobs.planning.poster import PosterPlan
from jobs.runtime.elastic_sizing import StartReservation
from jobs.runtime.metrics.snapshot import ResourceUse

if TYPE_CHECKING:
    from cluster.ray_crew import RayCrew


MemberFactory = Callable[..., object]
"""Makes a member of a crew or pool in the process where the member works."""


StartCrew = Callable[
    [PosterPlan, MemberFactory, Sequence[tuple[object, ...]]], AbstractContextManager[Crew]
]
"""Starts a crew for a plan, with one member for each tuple of arguments. Closes it at the end."""


_HALO_ROUNDS = 4
"""Rounds of halos that Ray's object store holds at most: new, in use, and not yet freed."""


_MIN_OBJECT_STORE_BYTES = 100 << 20
"""Ray refuses less than 75 MiB."""


@contextmanager
def crew_in_process(
    plan: PosterPlan,  # noqa: ARG001 - the same for every crew
    factory: MemberFactory,
    arguments: Sequence[tuple[object, ...]],
) -> Iterator[Crew]:
    """Start a crew in this process, without Ray. Its members work in turn."""
    from cluster.local import LocalCrew

    with LocalCrew(factory, arguments) as crew:
        yield crew


@contextmanager
def crew_on_own_ray(
    plan: PosterPlan, factory: MemberFactory, arguments: Sequence[tuple[object, ...]]
) -> Iterator[Crew]:
    """Start a crew on a private Ray of this machine, which ends with the crew."""
    from cluster.ray_session import local_ray

    object_store_bytes = max(
        _MIN_OBJECT_STORE_BYTES, _HALO_ROUNDS * plan.memory.halo * plan.workers
    )
    resources = worker_resources(plan)
    with (
        local_ray(
            resources.cpus * len(arguments), object_store_bytes, plan_resources(plan).gpus
        ) as ray_crew,
        ray_crew(factory, arguments, resources) as crew,
    ):
        yield crew


def crew_on_ray(ray_crew: "type[RayCrew]") -> StartCrew:
    """Return a function that starts crews on the Ray that this process has joined."""

    @contextmanager
    def start(
        plan: PosterPlan, factory: MemberFactory, arguments: Sequence[tuple[object, ...]]
    ) -> Iterator[Crew]:
        with ray_crew(factory, arguments, worker_resources(plan)) as crew:
            yield crew

    return start


def plan_resources(plan: PosterPlan) -> ResourceUse:
    """The resources of all workers of a plan together."""
    resources, workers = worker_resources(plan), plan.workers
    return ResourceUse(
        cores=workers * resources.cpus,
        gpus=workers * plan.gpus_per_worker,
        memory=workers * plan.memory.needed,
    )


def worker_resources(plan: PosterPlan) -> Resources:
    """The resources of one worker of a plan."""
    return Resources(cpus=plan.spec.crew.cpus_each, gpus=plan.gpus_per_worker)


StartPool = Callable[
    [MemberFactory, Sequence[tuple[object, ...]], Resources, int], AbstractContextManager[Pool]
]
"""Starts a pool, with one member for each tuple of arguments. Closes it at the end.

The resources are those of one member. The number is the tasks that a member has at once.
"""


_POOL_OBJECT_STORE_BYTES = 100 << 20
"""Bytes of Ray's object store for a pool. Rows are small, and pictures do not pass through it."""


@contextmanager
def pool_in_process(
    factory: MemberFactory,
    arguments: Sequence[tuple[object, ...]],
    resources: Resources,  # noqa: ARG001 - this process has one
    depth: int,
) -> Iterator[Pool]:
    """Start a pool in this process, without Ray. It runs one task after the other."""
    from cluster.local import LocalPool

    with LocalPool(factory, arguments, depth) as pool:
        yield pool


@contextmanager
def pool_on_own_ray(
    factory: MemberFactory,
    arguments: Sequence[tuple[object, ...]],
    resources: Resources,
    depth: int,
) -> Iterator[Pool]:
    """Start a pool on a private Ray of this machine, which ends with the pool."""
    from cluster.ray_session import local_ray

    with (
        local_ray(
            resources.cpus * len(arguments),
            _POOL_OBJECT_STORE_BYTES,
            round(resources.gpus * len(arguments)),
        ),
        pool_on_ray(factory, arguments, resources, depth) as pool,
    ):
        yield pool


@contextmanager
def pool_on_ray(
    factory: MemberFactory,
    arguments: Sequence[tuple[object, ...]],
    resources: Resources,
    depth: int,
) -> Iterator[Pool]:
    """Start a pool on the Ray that this process has joined."""
    from cluster.ray_pool import RayPool

    with RayPool(factory, arguments, resources, depth) as pool:
        yield pool


@dataclass(frozen=True)
class Backend:
    """Starts crews, for posters, and pools, for datasets.

    reserve: asks for resources, if machines of the cluster come and go. gpu_types: of the
    cluster's GPUs.
    """

    start_crew: StartCrew
    start_pool: StartPool
    reserve: StartReservation | None = None
    gpu_types: tuple[str, ...] = ()


THIS_PROCESS = Backend(crew_in_process, pool_in_process)

OWN_RAY = Backend(crew_on_own_ray, pool_on_own_ray)


def cluster_backend(ray_crew: "type[RayCrew]") -> Backend:
    """The backend of the Ray cluster that this process has joined."""
    from cluster.ray_reservation import RayReservation, gpu_types

    return Backend(crew_on_ray(ray_crew), pool_on_ray, RayReservation, gpu_types())
