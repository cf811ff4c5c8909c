"""Both crew backends, and one Ray for all tests."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from cluster.crew import Crew
from cluster.local import LocalCrew
from cluster.ray_session import local_ray
from cluster.resources import Resources
from tests.support.crew_members import ToyMember

if TYPE_CHECKING:
    from cluster.ray_crew import RayCrew

Start = Callable[[Callable[..., object], list[tuple[object, ...]]], Crew]


@pytest.fixture(scope="package")
def ray_crew() -> Iterator["type[RayCrew]"]:
    with local_ray(cpus=6, object_store_bytes=400_000_000) as crew:
        yield crew


@pytest.fixture(scope="package", params=["local", "ray"])
def start(request: pytest.FixtureRequest) -> Start:
    """Starts a crew on either backend."""
    if request.param == "local":
        return LocalCrew
    ray_crew: Any = request.getfixturevalue("ray_crew")
    return lambda factory, arguments: ray_crew(factory, arguments, Resources())


@pytest.fixture(scope="package")
def trio(start: Start) -> Iterator[Crew]:
    """Three members that other tests share: a test must leave them in working order."""
    with start(ToyMember, [("Ada",), ("Bob",), ("Cyd",)]) as crew:
        yield crew
