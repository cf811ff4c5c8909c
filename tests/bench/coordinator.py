"""Measures what a step costs the coordinator of a crew, without and with real Ray actors.

    python -m tests.bench.coordinator [--members 8 64 512] [--tiles 16] [--steps 10] [--actors 8]

The first table is the CPU time of the coordinator's own code (`OctaveLoop` and `RayCrew` without
Ray): each step takes at least so long, because the whole crew waits for it. The second table uses
real actors. They send each other halos of the right size and compute nothing. It shows the wall
time of a step's two barriers, and the CPU time of the coordinator's process including Ray.
"""

import argparse
import contextlib
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

from cluster.crew import Crew
from cluster.ray_crew import RayCrew
from cluster.ray_session import local_ray
from cluster.resources import Resources
from jobs.planning.machine import Machine
from jobs.planning.poster import PosterPlan, make_plan
from jobs.poster.octave_loop import OctaveLoop
from jobs.poster.worker_setup import shard_setup
from jobs.runtime.checkpoints import Checkpoints
from jobs.runtime.control import Control
from jobs.runtime.metrics.progress import Progress
from jobs.spec.document import parse_poster_spec
from render.engine.setup import ShardSetup
from render.geometry.grid import Grid
from render.geometry.partition import halo_exchange, partition
from tests.bench.idle_worker import IdleWorker, Sums, idle_sums
from tests.support.small_poster import job_context

_MACHINE = Machine(cores=2, gpus=0, memory=1 << 42)
_STORE = 256 << 20  # bytes
_PIXEL = 3 * 4  # bytes


class AllStepsSeen(Exception):  # noqa: N818 - not an error
    """Ends the octave loop after the last step."""


class StubActor:
    """Stands for a member's actor. Its methods return values at once, in place of references.

    senders: the members whose halos it has received.
    """

    def __init__(self, member: int, sums: Sums) -> None:
        self.senders: set[int] = set()
        self._member, self._sums = member, sums
        self.run = _Method(self._run)
        self.exchange_refs = _Method(self._exchange_refs)

    def _run(self, _method: str, _step: int, *senders: int) -> Sums:
        self.senders.update(senders)
        return self._sums

    def _exchange_refs(self, *_: object) -> int:
        return self._member


class _Method:
    def __init__(self, answer: Callable[..., object]) -> None:
        self.remote = answer


class StubCrew(RayCrew):
    """A `RayCrew` without Ray."""

    def __init__(self, actors: list[StubActor]) -> None:
        Crew.__init__(self, len(actors))
        self._actors, self._awaited = list(actors), []

    def _get(self, answers: Iterable[Any], timeout: float | None = None) -> list[Any]:
        return list(answers)

    def _free(self) -> None:
        self._actors.clear()


class OneOctave:
    """The steps of one octave, by a crew whose members have `tiles` tiles of `tile` pixels each."""

    def __init__(self, members: int, tiles: int, tile: int, steps: int, folder: Path) -> None:
        rows = math.isqrt(members * tiles)
        columns = -(-members * tiles // rows)
        document = {
            "input": {"noise": {"seed": 0}},
            "size": f"{columns * tile}x{rows * tile}",
            "tiles": tile,
            "dream": {"octaves": 1, "steps": steps},
            "crew": {"workers": members},
        }
        self.plan: PosterPlan = make_plan(parse_poster_spec(document), _MACHINE)
        self._context = job_context(self.plan, folder, 1)
        self.setup: ShardSetup = shard_setup(self.plan, self._context)
        self.grid: Grid = self.setup.grids[0]
        self.blocks = partition(self.grid, members)
        self.sends = halo_exchange(self.grid, self.setup.sampling_grid, self.blocks)
        self.bands = len(self.setup.mix) * len(self.setup.dream.band_factors)

    @property
    def bytes(self) -> int:
        """The bytes that members send each other in a step."""
        return _PIXEL * sum(
            rect.area for own in self.sends for rects in own.values() for rect in rects
        )

    def stub_actors(self) -> list[StubActor]:
        """Stubs for all members."""
        return [
            StubActor(member, idle_sums(self.grid, block, self.bands))
            for member, block in enumerate(self.blocks)
        ]

    def run(self, crew: Crew, clock: Callable[[], float]) -> list[float]:
        """The seconds of each step by this clock, without the first step, which loads."""
        ticks: list[float] = []

        def watch(seen: Progress) -> None:
            ticks.append(clock())
            if seen.step == seen.steps:
                raise AllStepsSeen

        checkpoints = Checkpoints(self._context, lambda: None)
        loop = OctaveLoop(self.plan, self.setup, crew, checkpoints, Control(), watch)
        with contextlib.suppress(AllStepsSeen):
            loop.run()
        return [after - before for before, after in pairwise(ticks[1:])]


def print_stub_table(sizes: list[int], tiles: int, steps: int, folder: Path) -> None:
    """Print the table of the coordinator's own code."""
    print("| shards | tiles | messages a step | own CPU, ms: least | median |")
    print("|---|---|---|---|---|")
    for members in sizes:
        octave = OneOctave(members, tiles, 256, steps, folder)
        found = octave.run(StubCrew(octave.stub_actors()), time.process_time)
        messages = sum(map(len, octave.sends))
        print(f"| {members} | {len(octave.grid)} | {messages} | ", end="")
        print(f"{min(found) * 1e3:.1f} | {statistics.median(found) * 1e3:.1f} |")


def print_actor_row(members: int, tile: int, steps: int, folder: Path) -> None:
    """Print the times of a step with real actors of one tile each."""
    octave = OneOctave(members, 1, tile, steps, folder)
    arguments = [(octave.grid, octave.bands)] * members
    with (
        local_ray(members, _STORE) as ray_crew,
        ray_crew(IdleWorker, arguments, Resources()) as crew,
    ):
        wall = octave.run(crew, time.perf_counter)
        arrived = sum(crew.call("arrived", dict.fromkeys(range(members), ())).values())
        busy = octave.run(crew, time.process_time)
    moved = f"{octave.bytes / 1e6:.2f} | {arrived / steps / 1e6:.2f}"
    print(f"| {members} | {tile} | {moved} | ", end="")
    print(f"{statistics.median(wall) * 1e3:.1f} | {statistics.median(busy) * 1e3:.1f} |")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--members", type=int, nargs="+", default=[8, 64, 512])
    parser.add_argument("--tiles", type=int, default=16)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--actors", type=int, default=8)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-coordinator-") as folder:
        print_stub_table(options.members, options.tiles, options.steps, Path(folder))
        if options.actors:
            print("\n| actors | tile | MB a step, by geometry | arrived | wall, ms | CPU, ms |")
            print("|---|---|---|---|---|---|")
            for tile in (64, 256):
                print_actor_row(options.actors, tile, options.steps, Path(folder))


if __name__ == "__main__":
    main()
