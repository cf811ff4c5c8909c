"""A crew starts with the free resources, and is resized if that saves more than it costs."""

from collections.abc import Callable

import pytest

from cluster.errors import InsufficientCapacity
from cluster.local import LocalCrew
from cluster.resources import Reservation, Resources
from jobs.runtime.control import Control, Stopped
from jobs.runtime.elastic_sizing import CrewSizer
from tests.support.crew_members import ToyMember

RESOURCES = Resources(start_timeout=60)


class Clock:
    """A clock that moves only during `sleep`."""

    now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Cluster:
    """A cluster with free resources for `capacity(now)` workers."""

    def __init__(self, clock: Clock, capacity: Callable[[float], int]) -> None:
        self.clock, self.capacity, self.open = clock, capacity, 0

    def reserve(self, resources: Resources, wanted: int) -> Reservation:
        assert resources == RESOURCES
        self.open += 1
        return FakeReservation(self, wanted)


class FakeReservation(Reservation):
    """A reservation on a `Cluster`, which counts those that are open."""

    def __init__(self, cluster: Cluster, wanted: int) -> None:
        self._cluster, self._wanted, self._is_open = cluster, wanted, True

    @property
    def granted(self) -> int:
        return min(self._wanted, self._cluster.capacity(self._cluster.clock.now))

    def close(self) -> None:
        self._cluster.open -= self._is_open
        self._is_open = False


class DrainingCrew(LocalCrew):
    """A crew on a machine that will shut down soon."""

    def _is_draining(self) -> bool:
        return True


def first_crew(capacity: Callable[[float], int], most: int = 4) -> tuple[int, float]:
    """The size of the first crew, and the seconds that it waited for workers."""
    clock = Clock()
    cluster = Cluster(clock, capacity)
    size = CrewSizer(cluster.reserve, Control(), clock, clock.sleep).wait_for_workers(
        RESOURCES, most
    )
    assert cluster.open == 0
    return size, clock.now


def test_a_full_crew_starts_at_once() -> None:
    assert first_crew(lambda _: 9) == (4, 0)


def test_a_smaller_crew_starts_after_a_short_wait() -> None:
    size, waited = first_crew(lambda now: 1 if now < 1 else 3)
    assert size == 3
    assert 2 < waited < 5


def test_a_crew_waits_for_the_first_machine_of_an_empty_cluster() -> None:
    size, waited = first_crew(lambda now: 4 if now >= 40 else 0)
    assert (size, round(waited)) == (4, 40)


def test_without_any_resources_waiting_ends() -> None:
    with pytest.raises(InsufficientCapacity, match="1 CPU free within 60 s"):
        first_crew(lambda _: 0)


def test_a_request_to_stop_ends_waiting() -> None:
    clock, control = Clock(), Control()
    cluster = Cluster(clock, lambda _: 0)
    control.request("shutdown")
    with pytest.raises(Stopped):
        CrewSizer(cluster.reserve, control, clock, clock.sleep).wait_for_workers(RESOURCES, 2)
    assert cluster.open == 0


def requested_stop(
    more: int, left: float | None, kind: type[LocalCrew] = LocalCrew, cost: float = 1.0
) -> str | None:
    """The request to a crew of 2 of 6 workers, if `more` can start. The crew took 4 s to start."""
    clock, control = Clock(), Control()
    cluster = Cluster(clock, lambda now: 2 if now < 3.5 else more)
    sizer = CrewSizer(cluster.reserve, control, clock, clock.sleep)
    assert sizer.wait_for_workers(RESOURCES, 6) == 2
    clock.sleep(4.0 - clock.now)  # until the crew has started
    with kind(ToyMember, [("Ann",), ("Ben",)]) as crew, sizer.resizing(crew, RESOURCES, 6):
        sizer.check(left, cost)
        found = control.requested
        if found is None and more and left is not None:
            assert cluster.open == 0, "other jobs may need the resources"
    assert control.requested is None
    assert cluster.open == 0
    return found


def test_a_crew_grows_if_that_saves_more_than_it_costs() -> None:
    assert requested_stop(more=2, left=100) == "regroup"  # to save 50 s for 5
    assert requested_stop(more=2, left=20) is None  # to save 10 s for 5
    assert requested_stop(more=2, left=100, cost=20) is None
    assert requested_stop(more=0, left=1000) is None
    assert requested_stop(more=2, left=None) is None


def test_a_crew_leaves_a_draining_machine_at_once() -> None:
    assert requested_stop(more=0, left=None, kind=DrainingCrew) == "regroup"


def test_without_reservations_a_crew_is_never_resized() -> None:
    clock, control = Clock(), Control()
    sizer = CrewSizer(None, control, clock, clock.sleep)
    assert sizer.wait_for_workers(RESOURCES, 4) == 4
    with DrainingCrew(ToyMember, [("Ann",)]) as crew, sizer.resizing(crew, RESOURCES, 4):
        sizer.check(1000, 0)
    assert control.requested is None
