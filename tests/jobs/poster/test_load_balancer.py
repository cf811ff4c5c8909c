"""Shares: members that are slower get fewer tiles, where that pays and memory allows it."""

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from torch import Tensor

from cluster.crew import Crew, ObjectRef
from cluster.local import LocalCrew
from cluster.resources import Resources
from jobs.planning.memory import worker_memory
from jobs.planning.octave import worker_loads
from jobs.planning.poster import PosterPlan
from jobs.poster.load_balancer import LoadBalancer
from jobs.poster.worker import Worker
from jobs.runtime.backend import MemberFactory
from jobs.runtime.checkpoints import valid_commits
from jobs.runtime.metrics.timings import WorkerTimings
from render.dream.step import Step
from render.engine.memory import stored_values
from render.engine.tile_store import Patch
from render.geometry.grid import Grid
from render.geometry.partition import Block, partition
from tests.support.small_poster import claim_poster, plan_poster

if TYPE_CHECKING:
    from cluster.ray_crew import RayCrew

_STEPS = 6


@pytest.fixture(scope="module")
def plan(weights: Path) -> PosterPlan:
    """140 tiles in the last of two octaves, shared by two."""
    settings = (
        "input.noise.seed=6",
        "size=448x320",
        f"dream.steps={_STEPS}",
        "crew.workers=2",
    )
    return plan_poster(None, weights, *settings)


def tiles(plan: PosterPlan, octave: int, blocks: Sequence[Block]) -> list[int]:
    return [len(block.tiles(plan.grids[octave])) for block in blocks]


class Members:
    """What two members measure of themselves.

    slowness: a megapixel of windows takes a member a hundred times as many seconds. loading: the
    seconds of that, each time.
    """

    def __init__(self, plan: PosterPlan, *slowness: float, loading: float = 0.0) -> None:
        self._plan, self.slowness, self._loading = plan, slowness, loading
        self._seconds = [0.0] * len(slowness)
        self._loads = 0.0

    def load(self) -> None:
        """Once more."""
        self._loads += self._loading

    def work(self, octave: int, blocks: Sequence[Block], steps: int) -> dict[int, WorkerTimings]:
        """After so many steps more of an octave."""
        done = worker_loads(self._plan.grids[octave], self._plan.sampling_grid, blocks)
        for member, one in enumerate(done):
            self._seconds[member] += one.window_pixels * steps * self.slowness[member] / 1e4
        return {
            member: WorkerTimings({"gradients": seconds, "load": self._loads})
            for member, seconds in enumerate(self._seconds)
        }


def test_at_first_all_are_alike(plan: PosterPlan) -> None:
    balancer = LoadBalancer(plan, 2)
    assert balancer.assign(0, 0) == partition(plan.grids[0], 2)
    assert not balancer.should_rebalance()


def test_the_next_octave_is_shared_by_speed(plan: PosterPlan) -> None:
    balancer, members = LoadBalancer(plan, 2), Members(plan, 1, 3)
    balancer.add_timings(_STEPS, members.work(0, balancer.assign(0, 0), _STEPS))

    fast, slow = tiles(plan, 1, balancer.assign(1, 0))
    assert fast + slow == len(plan.grids[1])
    assert fast / slow == pytest.approx(3, rel=0.3)


def test_who_is_busy_no_more_gets_as_much_as_others_again(plan: PosterPlan) -> None:
    balancer, members = LoadBalancer(plan, 2), Members(plan, 3, 1)
    balancer.add_timings(_STEPS, members.work(0, balancer.assign(0, 0), _STEPS))
    assert balancer.assign(1, 0) != partition(plan.grids[1], 2)
    members.slowness = (1, 1)
    for step in range(1, _STEPS):
        balancer.add_timings(step, members.work(1, balancer.assign(1, step - 1), 1))
    assert balancer.assign(1, _STEPS) == partition(plan.grids[1], 2)


def test_members_that_are_nearly_alike_share_alike(plan: PosterPlan) -> None:
    balancer, members = LoadBalancer(plan, 2), Members(plan, 1, 1.1)
    balancer.add_timings(_STEPS, members.work(0, balancer.assign(0, 0), _STEPS))
    assert balancer.assign(1, 0) == partition(plan.grids[1], 2)


def test_noise_changes_little(weights: Path) -> None:
    settings = ("input.noise.seed=6", "size=448x320", "dream.steps=600", "crew.workers=2")
    plan, chance = plan_poster(None, weights, *settings), random.Random(4)
    balancer, changes = LoadBalancer(plan, 2), 0
    members, blocks = Members(plan, 1, 1), balancer.assign(1, 0)
    for step in range(10, 600, 10):
        members.slowness = tuple(chance.gauss(1, 0.1) for _ in range(2))
        balancer.add_timings(step, members.work(1, blocks, 10))
        if balancer.should_rebalance():
            blocks, changes = balancer.assign(1, step), changes + 1
    assert changes <= 2


def test_a_moment_says_nothing(plan: PosterPlan) -> None:
    balancer, members = LoadBalancer(plan, 2), Members(plan, 1e-3, 3e-3)
    balancer.add_timings(_STEPS, members.work(0, balancer.assign(0, 0), _STEPS))
    assert balancer.assign(1, 0) == partition(plan.grids[1], 2)


def test_moments_add_up(plan: PosterPlan) -> None:
    balancer, members = LoadBalancer(plan, 2), Members(plan, 0.01, 0.03)
    blocks = balancer.assign(1, 0)
    balancer.add_timings(1, members.work(1, blocks, 1))
    assert not balancer.should_rebalance()
    balancer.add_timings(2, members.work(1, blocks, 1))
    assert balancer.should_rebalance()


def test_one_that_had_nothing_to_do_is_taken_for_average(weights: Path) -> None:
    settings = ("input.noise.seed=6", "size=64x64", "dream.octave_scale=2", "crew.workers=2")
    plan = plan_poster(None, weights, *settings)
    balancer, members = LoadBalancer(plan, 2), Members(plan, 900, 1)
    blocks = balancer.assign(0, 0)
    assert tiles(plan, 0, blocks) == [1, 0]
    balancer.add_timings(2, members.work(0, blocks, 2))
    assert balancer.assign(1, 0) == partition(plan.grids[1], 2)


def test_who_gets_no_tile_is_not_forgotten(weights: Path) -> None:
    settings = ("input.noise.seed=6", "size=64x96", "dream.octave_scale=2", "crew.workers=3")
    plan = plan_poster(None, weights, *settings)
    balancer, members = LoadBalancer(plan, 3), Members(plan, 1, 9, 1)
    balancer.add_timings(1, members.work(1, balancer.assign(1, 0), 1))
    blocks = balancer.assign(0, 0)
    assert tiles(plan, 0, blocks) == [1, 0, 1]
    balancer.add_timings(2, members.work(0, blocks, 2))
    assert tiles(plan, 1, balancer.assign(1, 0))[1] == 1


@pytest.fixture
def large(weights: Path) -> PosterPlan:
    """Of tiles that fill a worker's memory, which may be a third of the machine's."""
    settings = ("input.noise.seed=6", "size=9000x6000", "tiles=500", "crew.workers=2")
    return plan_poster(None, weights, *settings)


def by_speed(plan: PosterPlan) -> tuple[Block, ...]:
    """The shares of the last octave, of a member and one that is nine times as slow."""
    balancer = LoadBalancer(plan, 2)
    balancer.add_timings(2, Members(plan, 1, 9).work(0, balancer.assign(0, 0), 2))
    return balancer.assign(1, 0)


def held_by(plan: PosterPlan, blocks: Sequence[Block]) -> float:
    """Bytes of memory that they fill, beside what the plan has said."""
    grid, sampling_grid, said = plan.grids[-1], plan.sampling_grid, plan.memory
    kept = stored_values(plan.mix, plan.spec.dream, plan.tile)
    cost = plan.profile.cost
    found = worker_memory(grid, sampling_grid, cost, kept, 4, blocks, said.limit, said.is_limited)
    return found.in_memory / said.needed


def test_no_share_outgrows_the_machine(large: PosterPlan) -> None:
    said = large.memory.needed
    roomy = replace(large, memory=replace(large.memory, limit=2 * said))
    tight = replace(large, memory=replace(large.memory, limit=int(1.2 * said)))
    assert 1.2 < held_by(roomy, by_speed(roomy)) <= 2
    assert 1 < held_by(tight, by_speed(tight)) <= 1.2


def test_where_memory_has_no_room_at_all_shares_stay_alike(large: PosterPlan) -> None:
    tight = replace(large, memory=replace(large.memory, limit=large.memory.needed))
    assert by_speed(tight) == partition(large.grids[1], 2)


def test_a_gpu_takes_little_more_than_was_said(large: PosterPlan) -> None:
    large = replace(large, gpus_per_worker=1)
    assert 1 < held_by(large, by_speed(large)) <= 1.1


def test_where_a_user_sets_the_limit_workers_take_little_more_than_was_said(
    weights: Path,
) -> None:
    settings = ("input.noise.seed=6", "size=9000x6000", "tiles=500", "crew.workers=2")
    plan = plan_poster(None, weights, *settings, "crew.memory_per_worker=4GiB")
    assert 1 < held_by(plan, by_speed(plan)) <= 1.1


def test_an_octave_is_shared_anew_where_that_is_worth_loading_it(plan: PosterPlan) -> None:
    def should_change(steps: int, loading: float) -> bool:
        balancer, members = LoadBalancer(plan, 2), Members(plan, 1, 3, loading=loading)
        members.load()
        balancer.add_timings(steps, members.work(1, balancer.assign(1, 0), steps))
        return balancer.should_rebalance()

    assert should_change(1, loading=1)
    assert not should_change(1, loading=1000)
    assert not should_change(_STEPS, loading=1)


class Slow(Worker):
    """The second member is slowed down as by other work on its machine."""

    def _tile_sums(self, tile: int, step: Step, received: list[Patch]) -> Tensor:
        if self._member == 1:
            time.sleep(0.02)
        return super()._tile_sums(tile, step, received)


class Recording(LocalCrew):
    """Records how many tiles each member gets, each time that tiles are assigned."""

    def __init__(self, grids: Sequence[Grid], arguments: Sequence[tuple[object, ...]]) -> None:
        super().__init__(Slow, arguments)
        self._grids = grids
        self.given: list[tuple[str, int, list[int]]] = []

    def _scatter(
        self, sender: int, receivers: tuple[int, ...], method: str, arguments: tuple[Any, ...]
    ) -> Sequence[ObjectRef]:
        if method in ("start", "resume"):
            octave, block, *_ = arguments
            if sender == 0:
                self.given.append((method, octave, []))
            self.given[-1][2].append(len(block.tiles(self._grids[octave])))
        return super()._scatter(sender, receivers, method, arguments)


@pytest.fixture(scope="module")
def alike(plan: PosterPlan, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The checksums by members that are alike."""
    return checksums(claim_poster(plan, tmp_path_factory.mktemp("alike")).run())


def checksums(manifest: dict[str, Any]) -> list[str]:
    return [one["sha256"] for one in manifest["outputs"]]


def test_a_crew_with_a_slow_member_makes_the_same_bytes(
    plan: PosterPlan, alike: list[str], tmp_path: Path
) -> None:
    crews: list[Recording] = []

    @contextmanager
    def start(
        plan: PosterPlan, _: MemberFactory, arguments: Sequence[tuple[object, ...]]
    ) -> Iterator[Crew]:
        with Recording(plan.grids, arguments) as crew:
            crews.append(crew)
            yield crew

    # A checkpoint after every step: the first of them finds out.
    assert checksums(claim_poster(plan, tmp_path, start, checkpoint_seconds=0).run()) == alike
    given = crews[0].given
    assert given[0] == ("start", 0, tiles(plan, 0, partition(plan.grids[0], 2)))
    assert [one[:2] for one in given if one[1] == 0][:2] == [("start", 0), ("resume", 0)]
    assert all(fast > slow for _, _, (fast, slow) in given[1:])


def test_so_does_one_on_ray(
    plan: PosterPlan, alike: list[str], ray_crew: "type[RayCrew]", tmp_path: Path
) -> None:
    @contextmanager
    def start(
        _: PosterPlan, __: MemberFactory, arguments: Sequence[tuple[object, ...]]
    ) -> Iterator[Crew]:
        with ray_crew(Slow, arguments, Resources()) as crew:
            yield crew

    job = claim_poster(plan, tmp_path, start)
    assert checksums(job.run()) == alike
    last = valid_commits(job.context.store, job.context.keys)[0].commit
    assert (last.octave, last.step) == (1, _STEPS)
    fast, slow = (len(part.tiles) for part in last.parts)
    assert fast > slow
