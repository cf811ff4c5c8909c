"""A poster across hosts has the bytes of one host, whatever happens to hosts and cables."""

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
    crews,
    has_dreamed,
    is_made,
    losses,
    poster,
    until,
)
from tests.netns.ray_hosts import WORKER, RayHosts
from tests.support.job_states import output_digests
from tests.support.small_poster import claim_poster

pytestmark = [pytest.mark.netns, pytest.mark.timeout(900)]

HALF_WAY = 2, STEPS // 3
"""The steps of the largest octave between which things happen; what is left lasts long enough."""


@pytest.fixture(scope="module")
def alone(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The checksums of the poster by one worker, in this process."""
    plan = make_plan(poster(weights, workers=1), this_machine())
    return [
        one["sha256"]
        for one in claim_poster(plan, tmp_path_factory.mktemp("alone")).run()["outputs"]
    ]


class Scene:
    """A poster that is being rendered, and something that happens to it half-way.

    seed: says when that is, and to which host.
    """

    def __init__(
        self, ray_hosts: RayHosts, store: Store, weights: Path, log: Path, seed: int
    ) -> None:
        self.ray_hosts, self._store, self._weights, self._log = ray_hosts, store, weights, log
        draw = random.Random(seed)
        self._step = draw.randint(*HALF_WAY)
        self.victim = draw.choice(ray_hosts.others)

    @contextmanager
    def rendered(self, *options: str, workers: int) -> Iterator[None]:
        """Within, it is half-way; afterwards, it is made. options: of `work`."""
        job = submit_poster(self._store, poster(self._weights, workers)).job
        with self.ray_hosts.working(self._store.address, *OPTIONS, *options, log=self._log):
            until(has_dreamed(self._step), self._store, job, self._log)
            yield
            made = until(is_made, self._store, job, self._log)
        self.digests = output_digests(made)
        self.crews, self.losses = crews(self._store, job), losses(self._store, job)


@pytest.fixture
def scene(ray_hosts: RayHosts, bucket: Store, weights: Path, tmp_path: Path, seed: int) -> Scene:
    """A poster on three hosts, or what there are more."""
    ray_hosts.grow(HOSTS)
    return Scene(ray_hosts, bucket, weights, tmp_path / "log", seed)


@pytest.mark.parametrize("seed", [2])
def test_a_cable_is_out_for_five_seconds(scene: Scene, alone: list[str]) -> None:
    with scene.rendered(workers=len(scene.ray_hosts.hosts)):
        scene.victim.cut()
        time.sleep(5)
        scene.victim.mend()
    # Nobody had to notice: so they make them without that, too.
    assert (scene.crews, scene.losses) == ([len(scene.ray_hosts.hosts)], 0)
    assert scene.digests == alone


@pytest.mark.parametrize("seed", [3])
def test_a_fourth_host_joins_half_way(scene: Scene, alone: list[str]) -> None:
    before = len(scene.ray_hosts.hosts)
    with scene.rendered("--regroup", "0", workers=before + 1), scene.ray_hosts.head.halted(WORKER):
        scene.ray_hosts.grow(before + 1)
    assert (scene.crews, scene.losses) == ([before, before + 1], 0)
    assert scene.digests == alone


@pytest.mark.parametrize("seed", [4])
def test_a_cable_is_cut_for_good(scene: Scene, alone: list[str]) -> None:
    before = len(scene.ray_hosts.hosts)
    with scene.ray_hosts.losing(scene.victim), scene.rendered(workers=before):
        scene.victim.cut()
    assert (scene.crews, scene.losses) == ([before, before - 1], 1)
    assert scene.digests == alone


@pytest.mark.parametrize("seed", [5])
def test_a_hosts_processes_are_killed(scene: Scene, alone: list[str]) -> None:
    before = len(scene.ray_hosts.hosts)
    with scene.ray_hosts.losing(scene.victim), scene.rendered(workers=before):
        scene.victim.kill()
    assert (scene.crews, scene.losses) == ([before, before - 1], 1)
    assert scene.digests == alone


@pytest.mark.parametrize("seed", [6])
def test_a_host_is_given_notice(scene: Scene, alone: list[str], tmp_path: Path) -> None:
    before = len(scene.ray_hosts.hosts)
    with (
        scene.ray_hosts.losing(scene.victim),
        scene.rendered(workers=before),
        # To tell takes seconds, in which all could be over.
        scene.ray_hosts.head.halted(WORKER),
    ):
        scene.ray_hosts.give_notice(scene.victim, tmp_path / "witness")
    # It is left in time, and nothing is lost.
    assert (scene.crews, scene.losses) == ([before, before - 1], 0)
    assert scene.digests == alone
