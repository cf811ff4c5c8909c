"""Shares: members that are slower get fewer tiles, where that pays and memory allows it."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from torch import Tensor

from cluster.berth import Berth
from cluster.crew import Crew, Parcel
from cluster.inprocess import LocalCrew
from jobs.checkpoint.checkpoints import valid_commits
from jobs.holding.crews import Kind
from jobs.octave import loads
from jobs.plan import Plan
from jobs.poster.measured import Measured
from jobs.poster.shares import Shares
from jobs.poster.worker import Worker
from render.grid import Grid
from render.partition import Block, partition
from render.step import Step
from render.window import Patch
from tests.jobs.small import held, planned

if TYPE_CHECKING:
    from cluster.ray_crew import RayCrew

_STEPS = 6


@pytest.fixture(scope="module")
def plan(weights: Path) -> Plan:
    """140 tiles in the last of two octaves, shared by two."""
    settings = (
        "input.noise.seed=6",
        "size=448x320",
        f"dream.steps={_STEPS}",
        "crew.workers=2",
        "crew.memory_per_worker=1GiB",
    )
    return planned(None, weights, *settings)


def tiles(plan: Plan, octave: int, blocks: Sequence[Block]) -> list[int]:
    return [len(block.tiles(plan.grids[octave])) for block in blocks]


class Members:
    """What two members measure of themselves.

    slowness: a megapixel of windows takes a member a hundred times as many seconds. loading: the
    seconds of that, each time.
    """

    def __init__(self, plan: Plan, *slowness: float, loading: float = 0.0) -> None:
        self._plan, self._slowness, self._loading = plan, slowness, loading
        self._seconds = [0.0] * len(slowness)
        self._loads = 0.0

    def work(self, octave: int, blocks: Sequence[Block], steps: int) -> dict[int, Measured]:
        """After so many steps more of an octave."""
        done = loads(self._plan.grids[octave], self._plan.lattice, blocks)
        self._loads += self._loading
        for member, one in enumerate(done):
            self._seconds[member] += one.window_pixels * steps * self._slowness[member] / 1e4
        return {
            member: Measured({"gradients": seconds, "load": self._loads})
            for member, seconds in enumerate(self._seconds)
        }


def test_at_first_all_are_alike(plan: Plan) -> None:
    shares = Shares(plan, 2)
    assert shares.deal(0, 0) == partition(plan.grids[0], 2)
    assert not shares.should_change


def test_the_next_octave_is_shared_by_speed(plan: Plan) -> None:
    shares, members = Shares(plan, 2), Members(plan, 1, 3)
    shares.learn(_STEPS, members.work(0, shares.deal(0, 0), _STEPS))

    fast, slow = tiles(plan, 1, shares.deal(1, 0))
    assert fast + slow == len(plan.grids[1])
    assert fast / slow == pytest.approx(3, rel=0.3)


def test_who_is_busy_no_more_gets_as_much_as_others_again(plan: Plan) -> None:
    shares, busy, idle = Shares(plan, 2), Members(plan, 3, 1), Members(plan, 1, 1)
    shares.learn(_STEPS, busy.work(0, shares.deal(0, 0), _STEPS))
    uneven = shares.deal(1, 0)
    assert uneven != partition(plan.grids[1], 2)
    shares = Shares(plan, 2)
    shares.learn(_STEPS, idle.work(0, shares.deal(0, 0), _STEPS))
    assert shares.deal(1, 0) == partition(plan.grids[1], 2)


def test_members_that_are_nearly_alike_share_alike(plan: Plan) -> None:
    shares, members = Shares(plan, 2), Members(plan, 1, 1.1)
    shares.learn(_STEPS, members.work(0, shares.deal(0, 0), _STEPS))
    assert shares.deal(1, 0) == partition(plan.grids[1], 2)


def test_a_moment_says_nothing(plan: Plan) -> None:
    shares, members = Shares(plan, 2), Members(plan, 1e-3, 3e-3)
    shares.learn(_STEPS, members.work(0, shares.deal(0, 0), _STEPS))
    assert shares.deal(1, 0) == partition(plan.grids[1], 2)


def test_moments_add_up(plan: Plan) -> None:
    shares, members = Shares(plan, 2), Members(plan, 0.005, 0.015)
    blocks = shares.deal(1, 0)
    shares.learn(1, members.work(1, blocks, 1))
    assert not shares.should_change
    shares.learn(2, members.work(1, blocks, 1))
    assert shares.should_change


def test_one_that_had_nothing_to_do_is_taken_for_average(weights: Path) -> None:
    settings = ("input.noise.seed=6", "size=64x64", "dream.octave_scale=2", "crew.workers=2")
    plan = planned(None, weights, *settings)
    shares, members = Shares(plan, 2), Members(plan, 900, 1)
    blocks = shares.deal(0, 0)
    assert tiles(plan, 0, blocks) == [1, 0]
    shares.learn(2, members.work(0, blocks, 2))
    assert shares.deal(1, 0) == partition(plan.grids[1], 2)


def test_no_share_outgrows_the_memory_that_a_worker_may_take(plan: Plan) -> None:
    free, tight = Shares(plan, 2), Shares(_tight(plan, 1.3), 2)
    for shares in (free, tight):
        shares.learn(_STEPS, Members(plan, 1, 9).work(0, shares.deal(0, 0), _STEPS))
    alike, most, less = partition(plan.grids[1], 2), free.deal(1, 0), tight.deal(1, 0)
    assert tiles(plan, 1, alike)[0] < tiles(plan, 1, less)[0] < tiles(plan, 1, most)[0]
    assert _tight(plan, 1.3).can_hold(plan.grids[1], less)
    assert not _tight(plan, 1.3).can_hold(plan.grids[1], most)


def test_where_memory_has_no_room_at_all_shares_stay_alike(plan: Plan) -> None:
    tight = _tight(plan, 1)
    shares = Shares(tight, 2)
    shares.learn(_STEPS, Members(plan, 1, 9).work(0, shares.deal(0, 0), _STEPS))
    assert shares.deal(1, 0) == partition(plan.grids[1], 2)


def _tight(plan: Plan, room: float) -> Plan:
    """The plan where a worker may hold so many times its share of tiles."""
    memory = plan.memory
    held = memory.in_memory - memory.on_disk
    return replace(plan, memory=replace(memory, limit=int(memory.on_disk + room * held)))


def test_an_octave_is_shared_anew_where_that_is_worth_loading_it(plan: Plan) -> None:
    def should_change(steps: int, loading: float) -> bool:
        shares, members = Shares(plan, 2), Members(plan, 1, 3, loading=loading)
        shares.learn(steps, members.work(1, shares.deal(1, 0), steps))
        return shares.should_change

    assert should_change(1, loading=1)
    assert not should_change(1, loading=1000)
    assert not should_change(_STEPS, loading=1)


class Slow(Worker):
    """The second member is slowed down as by other work on its machine."""

    def _climb_tile(self, tile: int, step: Step, arrived: list[Patch]) -> Tensor:
        if self._member == 1:
            time.sleep(0.02)
        return super()._climb_tile(tile, step, arrived)


class Recording(LocalCrew):
    """Notes how many tiles each member is given, whenever all are."""

    def __init__(self, grids: Sequence[Grid], arguments: Sequence[tuple[object, ...]]) -> None:
        super().__init__(Slow, arguments)
        self._grids = grids
        self.given: list[tuple[str, int, list[int]]] = []

    def _deal(
        self, giver: int, takers: tuple[int, ...], method: str, arguments: tuple[Any, ...]
    ) -> Sequence[Parcel]:
        if method in ("begin", "resume"):
            octave, block, *_ = arguments
            if giver == 0:
                self.given.append((method, octave, []))
            self.given[-1][2].append(len(block.tiles(self._grids[octave])))
        return super()._deal(giver, takers, method, arguments)


@pytest.fixture(scope="module")
def alike(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The checksums by members that are alike."""
    return checksums(held(plan, tmp_path_factory.mktemp("alike")).run())


def checksums(manifest: dict[str, Any]) -> list[str]:
    return [one["sha256"] for one in manifest["outputs"]]


def test_a_crew_with_a_slow_member_makes_the_same_bytes(
    plan: Plan, alike: list[str], tmp_path: Path
) -> None:
    crews: list[Recording] = []

    @contextmanager
    def start(plan: Plan, _: Kind, arguments: Sequence[tuple[object, ...]]) -> Iterator[Crew]:
        with Recording(plan.grids, arguments) as crew:
            crews.append(crew)
            yield crew

    # A checkpoint after every step: the first of them finds out.
    assert checksums(held(plan, tmp_path, start, checkpoint_seconds=0).run()) == alike
    given = crews[0].given
    assert given[0] == ("begin", 0, tiles(plan, 0, partition(plan.grids[0], 2)))
    assert [one[:2] for one in given if one[1] == 0][:2] == [("begin", 0), ("resume", 0)]
    assert all(fast > slow for _, _, (fast, slow) in given[1:])


def test_so_does_one_on_ray(
    plan: Plan, alike: list[str], ray_crew: "type[RayCrew]", tmp_path: Path
) -> None:
    @contextmanager
    def start(_: Plan, __: Kind, arguments: Sequence[tuple[object, ...]]) -> Iterator[Crew]:
        with ray_crew(Slow, arguments, Berth()) as crew:
            yield crew

    job = held(plan, tmp_path, start)
    assert checksums(job.run()) == alike
    last = valid_commits(job.site.store, job.site.keys)[0].commit
    assert (last.octave, last.step) == (1, _STEPS)
    fast, slow = (len(part.tiles) for part in last.parts)
    assert fast > slow
