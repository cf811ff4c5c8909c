"""The load balancer: slow members get fewer tiles, if that pays and memory allows it."""

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
from jobs.runtime.metrics.counters import WorkerTimings
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
    """140 tiles in the last of two octaves, for two members."""
    settings = (
        "input.noise.seed=6",
        "size=448x320",
        f"dream.steps={_STEPS}",
        "crew.workers=2",
    )
    return plan_poster(None, weights, *settings)


def tiles(plan: PosterPlan, octave: int, blocks: Sequence[Block]) -> list[int]:
    """The number of tiles of each member."""
    return [len(block.tiles(plan.grids[octave])) for block in blocks]


class Members:
    """Simulated members, and the timings that they measure.

    slowness: the seconds of each member for 10,000 window pixels. loading: the seconds to load an
    octave.
    """

    def __init__(self, plan: PosterPlan, *slowness: float, loading: float = 0.0) -> None:
        self._plan, self.slowness, self._loading = plan, slowness, loading
        self._seconds = [0.0] * len(slowness)
        self._loads = 0.0

    def load(self) -> None:
        """Load an octave."""
        self._loads += self._loading

    def work(self, octave: int, blocks: Sequence[Block], steps: int) -> dict[int, WorkerTimings]:
        """Do steps of an octave. Returns the timings of all members so far."""
        loads = worker_loads(self._plan.grids[octave], self._plan.sampling_grid, blocks)
        for member, load in enumerate(loads):
            self._seconds[member] += load.window_pixels * steps * self.slowness[member] / 1e4
        return {
            member: WorkerTimings({"gradients": seconds, "load": self._loads})
            for member, seconds in enumerate(self._seconds)
        }


def test_the_first_octave_is_divided_equally(plan: PosterPlan) -> None:
    balancer = LoadBalancer(plan, 2)
    assert balancer.assign(0, 0) == partition(plan.grids[0], 2)
    assert not balancer.should_rebalance()


def test_the_next_octave_is_divided_by_speed(plan: PosterPlan) -> None:
    balancer, members = LoadBalancer(plan, 2), Members(plan, 1, 3)
    balancer.add_timings(_STEPS, members.work(0, balancer.assign(0, 0), _STEPS))

    fast, slow = tiles(plan, 1, balancer.assign(1, 0))
    assert fast + slow == len(plan.grids[1])
    assert fast / slow == pytest.approx(3, rel=0.3)


def test_a_member_that_recovers_gets_an_equal_part_again(plan: PosterPlan) -> None:
    balancer, members = LoadBalancer(plan, 2), Members(plan, 3, 1)
    balancer.add_timings(_STEPS, members.work(0, balancer.assign(0, 0), _STEPS))
    assert balancer.assign(1, 0) != partition(plan.grids[1], 2)
    members.slowness = (1, 1)
    for step in range(1, _STEPS):
        balancer.add_timings(step, members.work(1, balancer.assign(1, step - 1), 1))
    assert balancer.assign(1, _STEPS) == partition(plan.grids[1], 2)


def test_members_of_nearly_equal_speed_get_equal_parts(plan: PosterPlan) -> None:
    balancer, members = LoadBalancer(plan, 2), Members(plan, 1, 1.1)
    balancer.add_timings(_STEPS, members.work(0, balancer.assign(0, 0), _STEPS))
    assert balancer.assign(1, 0) == partition(plan.grids[1], 2)


def test_noise_causes_few_changes(weights: Path) -> None:
    settings = (
        "input.noise.seed=6",
        "size=448x320",
        "fit=stretch",
        "dream.steps=600",
        "crew.workers=2",
    )
    plan, rng = plan_poster(None, weights, *settings), random.Random(4)
    balancer, changes = LoadBalancer(plan, 2), 0
    members, blocks = Members(plan, 1, 1), balancer.assign(1, 0)
    for step in range(10, 600, 10):
        members.slowness = tuple(rng.gauss(1, 0.1) for _ in range(2))
        balancer.add_timings(step, members.work(1, blocks, 10))
        if balancer.should_rebalance():
            blocks, changes = balancer.assign(1, step), changes + 1
    assert changes <= 2


def test_a_short_time_is_not_measured(plan: PosterPlan) -> None:
    balancer, members = LoadBalancer(plan, 2), Members(plan, 1e-3, 3e-3)
    balancer.add_timings(_STEPS, members.work(0, balancer.assign(0, 0), _STEPS))
    assert balancer.assign(1, 0) == partition(plan.grids[1], 2)


def test_short_times_add_up(plan: PosterPlan) -> None:
    balancer, members = LoadBalancer(plan, 2), Members(plan, 0.01, 0.03)
    blocks = balancer.assign(1, 0)
    balancer.add_timings(1, members.work(1, blocks, 1))
    assert not balancer.should_rebalance()
    balancer.add_timings(2, members.work(1, blocks, 1))
    assert balancer.should_rebalance()


def test_an_idle_member_gets_the_average_speed(weights: Path) -> None:
    settings = ("input.noise.seed=6", "size=64x64", "dream.octave_scale=2", "crew.workers=2")
    plan = plan_poster(None, weights, *settings)
    balancer, members = LoadBalancer(plan, 2), Members(plan, 900, 1)
    blocks = balancer.assign(0, 0)
    assert tiles(plan, 0, blocks) == [1, 0]
    balancer.add_timings(2, members.work(0, blocks, 2))
    assert balancer.assign(1, 0) == partition(plan.grids[1], 2)


def test_the_speed_of_an_idle_member_is_remembered(weights: Path) -> None:
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
    """A plan with many tiles, which fill a worker's memory."""
    settings = ("input.noise.seed=6", "size=9000x6000", "tiles=500", "crew.workers=2")
    return plan_poster(None, weights, *settings)


def by_speed(plan: PosterPlan) -> tuple[Block, ...]:
    """The blocks of the last octave, if the second member is nine times as slow as the first."""
    balancer = LoadBalancer(plan, 2)
    balancer.add_timings(2, Members(plan, 1, 9).work(0, balancer.assign(0, 0), 2))
    return balancer.assign(1, 0)


def memory_ratio(plan: PosterPlan, blocks: Sequence[Block]) -> float:
    """The memory of the largest block, divided by the planned memory of a worker."""
    grid, sampling_grid, planned = plan.grids[-1], plan.sampling_grid, plan.memory
    values = stored_values(plan.mix, plan.spec.dream, grid.tile)
    cost = plan.profile.cost
    found = worker_memory(
        grid, sampling_grid, cost, values, 4, blocks, planned.limit, planned.is_limited
    )
    return found.in_memory / planned.needed


def test_no_block_exceeds_the_memory_limit(large: PosterPlan) -> None:
    planned = large.memory.needed
    roomy = replace(large, memory=replace(large.memory, limit=2 * planned))
    tight = replace(large, memory=replace(large.memory, limit=int(1.2 * planned)))
    assert 1.2 < memory_ratio(roomy, by_speed(roomy)) <= 2
    assert 1 < memory_ratio(tight, by_speed(tight)) <= 1.2


def test_without_spare_memory_blocks_stay_equal(large: PosterPlan) -> None:
    tight = replace(large, memory=replace(large.memory, limit=large.memory.needed))
    assert by_speed(tight) == partition(large.grids[1], 2)


def test_a_gpu_needs_little_more_than_planned(large: PosterPlan) -> None:
    large = replace(large, gpus_per_worker=1)
    assert 1 < memory_ratio(large, by_speed(large)) <= 1.1


def test_with_a_limit_of_the_user_workers_need_little_more_than_planned(
    weights: Path,
) -> None:
    settings = ("input.noise.seed=6", "size=9000x6000", "tiles=500", "crew.workers=2")
    plan = plan_poster(None, weights, *settings, "crew.memory_per_worker=4GiB")
    assert 1 < memory_ratio(plan, by_speed(plan)) <= 1.1


def test_an_octave_is_divided_again_if_that_is_worth_loading_it(plan: PosterPlan) -> None:
    def should_rebalance(steps: int, loading: float) -> bool:
        balancer, members = LoadBalancer(plan, 2), Members(plan, 1, 3, loading=loading)
        members.load()
        balancer.add_timings(steps, members.work(1, balancer.assign(1, 0), steps))
        return balancer.should_rebalance()

    assert should_rebalance(1, loading=1)
    assert not should_rebalance(1, loading=1000)
    assert not should_rebalance(_STEPS, loading=1)


class SlowWorker(Worker):
    """A worker that is slow if it is the second member, as by other work on its machine."""

    def _tile_sums(self, tile: int, step: Step, received: list[Patch]) -> Tensor:
        if self._member == 1:
            time.sleep(0.02)
        return super()._tile_sums(tile, step, received)


class RecordingCrew(LocalCrew):
    """Records the number of tiles of each member, each time that tiles are assigned."""

    def __init__(self, grids: Sequence[Grid], arguments: Sequence[tuple[object, ...]]) -> None:
        super().__init__(SlowWorker, arguments)
        self._grids = grids
        self.assigned: list[tuple[str, int, list[int]]] = []

    def _exchange(
        self, sender: int, receivers: tuple[int, ...], method: str, arguments: tuple[Any, ...]
    ) -> Sequence[ObjectRef]:
        if method in ("start", "resume"):
            octave, block, *_ = arguments
            if sender == 0:
                self.assigned.append((method, octave, []))
            self.assigned[-1][2].append(len(block.tiles(self._grids[octave])))
        return super()._exchange(sender, receivers, method, arguments)


@pytest.fixture(scope="module")
def equal_speed(plan: PosterPlan, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The checksums of a crew of equal members."""
    return checksums(claim_poster(plan, tmp_path_factory.mktemp("equal")).run())


def checksums(manifest: dict[str, Any]) -> list[str]:
    return [one["sha256"] for one in manifest["outputs"]]


def test_a_crew_with_a_slow_member_makes_the_same_bytes(
    plan: PosterPlan, equal_speed: list[str], tmp_path: Path
) -> None:
    crews: list[RecordingCrew] = []

    @contextmanager
    def start(
        plan: PosterPlan, _: MemberFactory, arguments: Sequence[tuple[object, ...]]
    ) -> Iterator[Crew]:
        with RecordingCrew(plan.grids, arguments) as crew:
            crews.append(crew)
            yield crew

    # With a checkpoint after every step, the first one rebalances.
    assert checksums(claim_poster(plan, tmp_path, start, checkpoint_seconds=0).run()) == equal_speed
    assigned = crews[0].assigned
    assert assigned[0] == ("start", 0, tiles(plan, 0, partition(plan.grids[0], 2)))
    assert [one[:2] for one in assigned if one[1] == 0][:2] == [("start", 0), ("resume", 0)]
    assert all(fast > slow for _, _, (fast, slow) in assigned[1:])


def test_a_crew_on_ray_with_a_slow_member_makes_the_same_bytes(
    plan: PosterPlan, equal_speed: list[str], ray_crew: "type[RayCrew]", tmp_path: Path
) -> None:
    @contextmanager
    def start(
        _: PosterPlan, __: MemberFactory, arguments: Sequence[tuple[object, ...]]
    ) -> Iterator[Crew]:
        with ray_crew(SlowWorker, arguments, Resources()) as crew:
            yield crew

    job = claim_poster(plan, tmp_path, start)
    assert checksums(job.run()) == equal_speed
    last = valid_commits(job.context.store, job.context.keys)[0].commit
    assert (last.octave, last.step) == (1, _STEPS)
    fast, slow = (len(part.tiles) for part in last.parts)
    assert fast > slow
