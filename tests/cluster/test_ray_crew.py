"""Behaviour and failures that only a crew of processes has."""

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cluster.errors import InsufficientCapacity, MemberLost
from cluster.resources import Resources
from tests.support.crew_members import ToyMember
from tests.support.processes import still_running

if TYPE_CHECKING:
    from cluster.ray_crew import RayCrew


def test_members_work_at_the_same_time_however_few_cores_and_end_with_their_crew(
    ray_crew: "type[RayCrew]", tmp_path: Path
) -> None:
    with ray_crew(ToyMember, [("Jon",), ("Kay",), ("Lee",)], Resources()) as crew:
        crew.call("meet", dict.fromkeys(range(3), (tmp_path, 3)))
        members = set(crew.call("process", dict.fromkeys(range(3), ())).values())
        assert len(members) == 3
        assert still_running(members, timeout=0) == members
    assert still_running(members) == set()


def test_a_death_is_reported_while_others_are_busy(ray_crew: "type[RayCrew]") -> None:
    with ray_crew(ToyMember, [("Ola",), ("Pia",)], Resources()) as crew:
        busy = crew.exchange("sleep", {0: (60,)}, {0: (0,)})[0]
        started = time.monotonic()
        dying = crew.exchange("die", {1: ()}, {1: (1,)})[1]
        with pytest.raises(MemberLost, match="worker process has died") as caught:
            crew.call("echo", {0: tuple(busy), 1: tuple(dying)})
        assert time.monotonic() - started < 10
        assert caught.value.member == 1
        assert "\n" not in str(caught.value)


def test_exchanged_values_do_not_pass_through_the_caller(ray_crew: "type[RayCrew]") -> None:
    """Ray would send small values through their owner, which would then hold all of them."""
    from ray.experimental.locations import get_local_object_locations

    with ray_crew(ToyMember, [("Kim",), ("Liv",)], Resources()) as crew:
        exchanged = crew.exchange("arrays", {0: ((1,), (80, 80, 3))}, {0: (1,)})
        assert crew.call("look", {1: tuple(exchanged[1])}) == {1: (7.0, False)}
        (here,) = get_local_object_locations(list(exchanged[1])).values()
        assert here["object_size"] < 4000 < 80 * 80 * 3 * 4


def test_members_get_their_resources(ray_crew: "type[RayCrew]") -> None:
    resources = Resources(cpus=2, environment={"GREETING": "hello"})
    with ray_crew(ToyMember, [("Max",)], resources) as crew:
        names = ("OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "GREETING")
        found = [crew.call("variable", {0: (name,)})[0] for name in names]
        assert found == ["2", "", "hello"]
        assert crew.call("imported", {0: ("torch",)}) == {0: False}


def test_a_crew_that_never_fits_is_refused_at_once(ray_crew: "type[RayCrew]") -> None:
    started = time.monotonic()
    with pytest.raises(
        InsufficientCapacity, match="1 CPU and 1 GPU each does not fit: the cluster has room"
    ):
        ray_crew(ToyMember, [()] * 1000, Resources(gpus=1))
    assert time.monotonic() - started < 2


def test_a_crew_that_cannot_be_placed_gives_up_in_time(ray_crew: "type[RayCrew]") -> None:
    import ray

    everything = int(ray.cluster_resources()["CPU"])
    with ray_crew(ToyMember, [("Ned",)], Resources()) as crew:
        started = time.monotonic()
        with pytest.raises(InsufficientCapacity, match=r"not be placed within 1 s: .* free"):
            ray_crew(ToyMember, [()], Resources(cpus=everything, start_timeout=1))
        assert time.monotonic() - started < 5
        assert crew.call("who", {0: ()}) == {0: "Ned"}


@pytest.mark.parametrize(("gpus", "members"), [(1, 4), (0.5, 8), (0.1, 16), (0, 16), (8, 0)])
def test_the_scarcest_resource_decides_how_many_members_fit(gpus: float, members: int) -> None:
    assert Resources(cpus=2, gpus=gpus).members_per_machine(cpus=32, gpus=4) == members


def test_resources_have_a_cpu() -> None:
    with pytest.raises(ValueError, match="1 CPU or more"):
        Resources(cpus=0)


def test_ray_is_imported_only_where_it_is_used(project: Path) -> None:
    modules = "cluster, cluster.resources, cluster.crew, cluster.local, cluster.ray_session"
    subprocess.run(
        [sys.executable, "-c", f"import sys, {modules}; sys.exit('ray' in sys.modules)"],
        cwd=project,
        check=True,
    )


def test_the_package_offers_what_it_declares(project: Path) -> None:
    """In a process of its own, where nothing has been imported yet."""
    program = (
        "import sys, cluster\n"
        "missing = [name for name in cluster.__all__ if not hasattr(cluster, name)]\n"
        "sys.exit(str(missing) if missing else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
