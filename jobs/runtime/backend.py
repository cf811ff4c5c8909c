"""Where a holder's crews come from: this process, a Ray of its own, or a cluster."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cluster.crew import Crew
from cluster.pool import Pool
from cluster.resources import Berth
from jobs.planning.poster import Plan
from jobs.runtime.elastic_sizing import StartReserve
from jobs.runtime.metrics.counters import Use

if TYPE_CHECKING:
    from cluster.ray_crew import RayCrew


Kind = Callable[..., object]

Start = Callable[[Plan, Kind, Sequence[tuple[object, ...]]], AbstractContextManager[Crew]]
"""Starts a crew for a plan: a member of `kind` for each tuple of arguments; ends it after."""


_FRAGMENT_ROUNDS = 4
"""Rounds of fragments that Ray's store holds at most: made, taken, and not yet collected."""


_LEAST_STORE = 100 << 20  # Ray refuses less than 75 MiB


@contextmanager
def in_process(
    plan: Plan,  # noqa: ARG001 - the same for every crew
    kind: Kind,
    arguments: Sequence[tuple[object, ...]],
) -> Iterator[Crew]:
    """Without Ray, one member after the other."""
    from cluster.local import LocalCrew

    with LocalCrew(kind, arguments) as crew:
        yield crew


@contextmanager
def on_own_ray(plan: Plan, kind: Kind, arguments: Sequence[tuple[object, ...]]) -> Iterator[Crew]:
    """On a private Ray of this machine, which ends with the crew."""
    from cluster.ray_session import local_ray

    store = max(_LEAST_STORE, _FRAGMENT_ROUNDS * plan.memory.lent * plan.workers)
    berth = berth_of(plan)
    with (
        local_ray(berth.cpus * len(arguments), store, use_of(plan).gpus) as ray_crew,
        ray_crew(kind, arguments, berth) as crew,
    ):
        yield crew


def on_ray(ray_crew: "type[RayCrew]") -> Start:
    """On a Ray that this process has joined."""

    @contextmanager
    def start(plan: Plan, kind: Kind, arguments: Sequence[tuple[object, ...]]) -> Iterator[Crew]:
        with ray_crew(kind, arguments, berth_of(plan)) as crew:
            yield crew

    return start


def use_of(plan: Plan) -> Use:
    """What all of a plan's workers ask for."""
    berth, workers = berth_of(plan), plan.workers
    return Use(
        cores=workers * berth.cpus,
        gpus=workers * plan.gpus_per_worker,
        memory=workers * plan.memory.needed,
    )


def berth_of(plan: Plan) -> Berth:
    """The share of a machine for each of a plan's workers."""
    return Berth(cpus=plan.spec.crew.cpus_each, gpus=plan.gpus_per_worker)


StartPool = Callable[[Kind, Sequence[tuple[object, ...]], Berth, int], AbstractContextManager[Pool]]
"""Starts a pool: a member of `kind` for each tuple of arguments, each with its berth and so many
tasks at once; ends it after."""


_STORE = 100 << 20
"""Bytes of Ray's own store: rows are small, and pictures do not pass through it."""


@contextmanager
def pool_in_process(
    kind: Kind,
    arguments: Sequence[tuple[object, ...]],
    berth: Berth,  # noqa: ARG001 - this process has one
    depth: int,
) -> Iterator[Pool]:
    """Without Ray, one task after the other."""
    from cluster.local import LocalPool

    with LocalPool(kind, arguments, depth) as pool:
        yield pool


@contextmanager
def pool_on_own_ray(
    kind: Kind, arguments: Sequence[tuple[object, ...]], berth: Berth, depth: int
) -> Iterator[Pool]:
    """On a private Ray of this machine, which ends with the pool."""
    from cluster.ray_session import local_ray

    with (
        local_ray(berth.cpus * len(arguments), _STORE, round(berth.gpus * len(arguments))),
        pool_on_ray(kind, arguments, berth, depth) as pool,
    ):
        yield pool


@contextmanager
def pool_on_ray(
    kind: Kind, arguments: Sequence[tuple[object, ...]], berth: Berth, depth: int
) -> Iterator[Pool]:
    """On a Ray that this process has joined."""
    from cluster.ray_pool import RayPool

    with RayPool(kind, arguments, berth, depth) as pool:
        yield pool


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
    from cluster.ray_reservation import RayReserve, accelerators

    return Ground(on_ray(ray_crew), pool_on_ray, RayReserve, accelerators())
