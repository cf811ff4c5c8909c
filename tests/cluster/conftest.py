"""The two kinds of crew, and one Ray for all tests."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from cluster.crew import Crew
from cluster.local import LocalCrew
from cluster.ray_session import local_ray
from cluster.resources import Berth
from tests.cluster.members import Player

if TYPE_CHECKING:
    from cluster.ray_crew import RayCrew

Start = Callable[[Callable[..., object], list[tuple[object, ...]]], Crew]


@pytest.fixture(scope="package")
def ray_crew() -> Iterator["type[RayCrew]"]:
    with local_ray(cpus=6, object_store_bytes=400_000_000) as crew:
        yield crew


@pytest.fixture(scope="package", params=["local", "ray"])
def start(request: pytest.FixtureRequest) -> Start:
    """Starts a crew of either kind."""
    if request.param == "local":
        return LocalCrew
    ray_crew: Any = request.getfixturevalue("ray_crew")
    return lambda kind, arguments: ray_crew(kind, arguments, Berth())


@pytest.fixture(scope="package")
def trio(start: Start) -> Iterator[Crew]:
    """Three players that outlive the test: leave them in working order."""
    with start(Player, [("Ada",), ("Bob",), ("Cyd",)]) as crew:
        yield crew
