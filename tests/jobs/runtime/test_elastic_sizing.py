"""A crew starts with what there is, and asks for another where that saves more than it costs."""

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
    """Stands still until somebody sleeps."""

    now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Cluster:
    """Has room for so many, as time goes by."""

    def __init__(self, clock: Clock, capacity: Callable[[float], int]) -> None:
        self.clock, self.room, self.open = clock, capacity, 0

    def reserve(self, resources: Resources, wanted: int) -> Reservation:
        assert resources == RESOURCES
        self.open += 1
        return Asked(self, wanted)


class Asked(Reservation):
    def __init__(self, cluster: Cluster, wanted: int) -> None:
        self._cluster, self._wanted, self._is_open = cluster, wanted, True

    @property
    def granted(self) -> int:
        return min(self._wanted, self._cluster.room(self._cluster.clock.now))

    def close(self) -> None:
        self._cluster.open -= self._is_open
        self._is_open = False


class Noticed(LocalCrew):
    """Sits on a machine that has been given notice."""

    def _is_draining(self) -> bool:
        return True


def gathered(capacity: Callable[[float], int], most: int = 4) -> tuple[int, float]:
    """The size of the first crew, and the seconds until it is known."""
    clock = Clock()
    cluster = Cluster(clock, capacity)
    size = CrewSizer(cluster.reserve, Control(), clock, clock.sleep).gather(RESOURCES, most)
    assert cluster.open == 0
    return size, clock.now


def test_where_there_is_room_for_all_they_start_at_once() -> None:
    assert gathered(lambda _: 9) == (4, 0)


def test_a_crew_starts_with_what_there_is_after_a_moment() -> None:
    size, waited = gathered(lambda now: 1 if now < 1 else 3)
    assert size == 3
    assert 2 < waited < 5


def test_it_waits_for_the_first_machine_of_a_cluster_at_zero() -> None:
    size, waited = gathered(lambda now: 4 if now >= 40 else 0)
    assert (size, round(waited)) == (4, 40)


def test_without_any_room_the_job_goes_back() -> None:
    with pytest.raises(InsufficientCapacity, match="1 CPU free within 60 s"):
        gathered(lambda _: 0)


def test_who_waits_leaves_when_asked() -> None:
    clock, control = Clock(), Control()
    cluster = Cluster(clock, lambda _: 0)
    control.request("drain")
    with pytest.raises(Stopped):
        CrewSizer(cluster.reserve, control, clock, clock.sleep).gather(RESOURCES, 2)
    assert cluster.open == 0


def wish(
    more: int, left: float | None, kind: type[LocalCrew] = LocalCrew, cost: float = 1.0
) -> str | None:
    """What a crew of 2 of 6 is asked to do when there is room for `more`; it took 4 s to start."""
    clock, control = Clock(), Control()
    cluster = Cluster(clock, lambda now: 2 if now < 3.5 else more)
    sizer = CrewSizer(cluster.reserve, control, clock, clock.sleep)
    assert sizer.gather(RESOURCES, 6) == 2
    clock.sleep(1 + 3 - clock.now)
    with kind(ToyMember, [("Ann",), ("Ben",)]) as crew, sizer.around(crew, RESOURCES, 6):
        sizer.check(left, cost)
        found = control.requested
        if found is None and more and left is not None:
            assert cluster.open == 0, "others may need what would never be used"
    assert control.requested is None
    assert cluster.open == 0
    return found


def test_a_crew_grows_when_that_saves_more_than_it_costs() -> None:
    assert wish(more=2, left=100) == "regroup"  # to save 50 s for 5
    assert wish(more=2, left=20) is None  # to save 10 s for 5
    assert wish(more=2, left=100, cost=20) is None
    assert wish(more=0, left=1000) is None
    assert wish(more=2, left=None) is None


def test_a_crew_leaves_a_machine_that_will_be_gone_at_once() -> None:
    assert wish(more=0, left=None, kind=Noticed) == "regroup"


def test_on_fixed_ground_nothing_is_asked() -> None:
    clock, control = Clock(), Control()
    sizer = CrewSizer(None, control, clock, clock.sleep)
    assert sizer.gather(RESOURCES, 4) == 4
    with Noticed(ToyMember, [("Ann",)]) as crew, sizer.around(crew, RESOURCES, 4):
        sizer.check(1000, 0)
    assert control.requested is None
