"""A poster across hosts has the bytes of one host, whatever happens to hosts and cables."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jobs.lifecycle.submit import submit
from jobs.machine import this_machine
from jobs.plan import make_plan
from jobs.store.store import Store
from tests.jobs.outcome import digests
from tests.jobs.small import held
from tests.netns.farm import HEAD, Farm
from tests.netns.poster import (
    HOSTS,
    OPTIONS,
    crews,
    is_half_way,
    is_made,
    poster,
    until,
)

pytestmark = [pytest.mark.netns, pytest.mark.timeout(900)]

LAST = HEAD + HOSTS - 1


@pytest.fixture(scope="module")
def alone(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The checksums of the poster by one worker, in this process."""
    plan = make_plan(poster(weights, workers=1), this_machine())
    return [one["sha256"] for one in held(plan, tmp_path_factory.mktemp("alone")).run()["outputs"]]


class Scene:
    """A poster that is being rendered, and something that happens to it half-way."""

    def __init__(self, farm: Farm, store: Store, weights: Path, log: Path) -> None:
        self.farm, self.store, self._weights, self._log = farm, store, weights, log
        self.job = ""

    @contextmanager
    def rendered(self) -> Iterator[None]:
        """Within, it is half-way; afterwards, it is made."""
        self.job = submit(self.store, poster(self._weights)).job
        with self.farm.working(self.store.address, *OPTIONS, log=self._log):
            until(is_half_way, self.store, self.job, self._log)
            yield
            self._made = until(is_made, self.store, self.job, self._log)

    @property
    def digests(self) -> list[str]:
        """The outputs' checksums."""
        return digests(self._made)


@pytest.fixture
def scene(farm: Farm, bucket: Store, weights: Path, tmp_path: Path) -> Scene:
    """A poster on three hosts."""
    return Scene(farm, bucket, weights, tmp_path / "log")


def test_three_hosts_make_the_bytes_of_one(scene: Scene, alone: list[str]) -> None:
    with scene.rendered():
        pass
    assert crews(scene.store, scene.job) == [HOSTS]
    assert scene.digests == alone


def test_a_cable_is_out_for_five_seconds(scene: Scene, alone: list[str]) -> None:
    with scene.rendered():
        scene.farm.hosts[LAST].cut()
        time.sleep(5)
        scene.farm.hosts[LAST].mend()
    # Nobody had to notice.
    assert crews(scene.store, scene.job) == [HOSTS]
    assert scene.digests == alone
