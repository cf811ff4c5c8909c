"""Where a holder's crews come from: this process, a Ray of its own, or a cluster."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from cluster.berth import Berth
from cluster.crew import Crew
from jobs.plan import Plan
from jobs.watching.readings import Use

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
    from cluster.inprocess import LocalCrew

    with LocalCrew(kind, arguments) as crew:
        yield crew


@contextmanager
def on_own_ray(plan: Plan, kind: Kind, arguments: Sequence[tuple[object, ...]]) -> Iterator[Crew]:
    """On a private Ray of this machine, which ends with the crew."""
    from cluster.machine import local_ray

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
