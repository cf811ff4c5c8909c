"""A poster that several hosts render has the bytes of one host's, also when hosts fail."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jobs.planning.machine import this_machine
from jobs.planning.poster import make_plan
from jobs.poster.submit import submit_poster
from jobs.store.store import Store
from tests.netns.poster import (
    HOSTS,
    OPTIONS,
    STEPS,
    crew_sizes,
    has_reached,
    has_succeeded,
    lost_crews,
    poster,
    wait_until,
)
from tests.netns.ray_hosts import WORKER, RayHosts
from tests.support.job_states import output_digests
from tests.support.small_poster import claim_poster

pytestmark = [pytest.mark.netns, pytest.mark.timeout(900)]

FAULT_STEPS = 2, STEPS // 6
"""The first and last step of the largest octave at which a fault happens.

Progress is known seconds late, so most steps must still be left when the fault happens.
"""


@pytest.fixture(scope="module")
def expected(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The checksums of the poster, rendered by one worker in this process."""
    plan = make_plan(poster(weights, workers=1), this_machine())
    return [
        one["sha256"]
        for one in claim_poster(plan, tmp_path_factory.mktemp("expected")).run()["outputs"]
    ]


class FaultyRender:
    """Renders a poster while a test makes a fault.

    seed: chooses the step and the host of the fault.
    """

    def __init__(
        self, ray_hosts: RayHosts, store: Store, weights: Path, log: Path, seed: int
    ) -> None:
        self.ray_hosts, self._store, self._weights, self._log = ray_hosts, store, weights, log
        draw = random.Random(seed)
        self._step = draw.randint(*FAULT_STEPS)
        self.victim = draw.choice(ray_hosts.others)

    @contextmanager
    def rendering(self, *options: str, workers: int) -> Iterator[None]:
        """Start rendering, yield at the step of the fault, and wait for the result.

        options: of `work`.
        """
        job = submit_poster(self._store, poster(self._weights, workers)).job
        with self.ray_hosts.working(self._store.address, *OPTIONS, *options, log=self._log):
            wait_until(has_reached(self._step), self._store, job, self._log)
            yield
            job_done = wait_until(has_succeeded, self._store, job, self._log)
        self.digests = output_digests(job_done)
        self.crew_sizes = crew_sizes(self._store, job)
        self.lost_crews = lost_crews(self._store, job)


@pytest.fixture
def render(
    ray_hosts: RayHosts, bucket: Store, weights: Path, tmp_path: Path, seed: int
) -> FaultyRender:
    """A render on at least three hosts."""
    ray_hosts.grow(HOSTS)
    return FaultyRender(ray_hosts, bucket, weights, tmp_path / "log", seed)


@pytest.mark.parametrize("seed", [2])
def test_a_host_is_disconnected_for_five_seconds(render: FaultyRender, expected: list[str]) -> None:
    with render.rendering(workers=len(render.ray_hosts.hosts)):
        render.victim.cut()
        time.sleep(5)
        render.victim.reconnect()
    # The crew goes on without a restart.
    assert (render.crew_sizes, render.lost_crews) == ([len(render.ray_hosts.hosts)], 0)
    assert render.digests == expected


@pytest.mark.parametrize("seed", [3])
def test_a_fourth_host_joins_during_the_render(render: FaultyRender, expected: list[str]) -> None:
    before = len(render.ray_hosts.hosts)
    with (
        render.rendering("--regroup", "0", workers=before + 1),
        render.ray_hosts.head.paused(WORKER),
    ):
        render.ray_hosts.grow(before + 1)
    assert (render.crew_sizes, render.lost_crews) == ([before, before + 1], 0)
    assert render.digests == expected


@pytest.mark.parametrize("seed", [4])
def test_a_host_is_disconnected_for_good(render: FaultyRender, expected: list[str]) -> None:
    before = len(render.ray_hosts.hosts)
    with render.ray_hosts.losing(render.victim), render.rendering(workers=before):
        render.victim.cut()
    assert (render.crew_sizes, render.lost_crews) == ([before, before - 1], 1)
    assert render.digests == expected


@pytest.mark.parametrize("seed", [5])
def test_a_hosts_processes_are_killed(render: FaultyRender, expected: list[str]) -> None:
    before = len(render.ray_hosts.hosts)
    with render.ray_hosts.losing(render.victim), render.rendering(workers=before):
        render.victim.kill()
    assert (render.crew_sizes, render.lost_crews) == ([before, before - 1], 1)
    assert render.digests == expected


@pytest.mark.parametrize("seed", [6])
def test_a_host_is_given_notice(render: FaultyRender, expected: list[str], tmp_path: Path) -> None:
    before = len(render.ray_hosts.hosts)
    with (
        render.ray_hosts.losing(render.victim),
        render.rendering(workers=before),
        # The notice takes seconds; without a pause, the poster could be finished before.
        render.ray_hosts.head.paused(WORKER),
    ):
        render.ray_hosts.give_notice(render.victim, tmp_path / "witness")
    # The crew leaves the host in time, and no crew is lost.
    assert (render.crew_sizes, render.lost_crews) == ([before, before - 1], 0)
    assert render.digests == expected
