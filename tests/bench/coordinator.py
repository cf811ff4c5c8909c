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
from tests.bench.idle_worker import Idler, Sums, idle_sums
from tests.support.small_poster import job_context

_MACHINE = Machine(cores=2, gpus=0, memory=1 << 42)
_STORE = 256 << 20  # bytes
_PIXEL = 3 * 4  # bytes


class Enough(Exception):  # noqa: N818 - the news is in the name
    """All steps that were wanted have been seen."""


class Handle:
    """Stands for a member's actor: what it is asked is answered at once, by the answer itself.

    taken: the members of whose making it has been given something.
    """

    def __init__(self, member: int, sums: Sums) -> None:
        self.taken: set[int] = set()
        self._member, self._sums = member, sums
        self.run = _Method(self._run)
        self.scatter_refs = _Method(self._scatter_refs)

    def _run(self, _method: str, _step: int, *senders: int) -> Sums:
        self.taken.update(senders)
        return self._sums

    def _scatter_refs(self, *_: object) -> int:
        return self._member


class _Method:
    def __init__(self, answer: Callable[..., object]) -> None:
        self.remote = answer


class StubCrew(RayCrew):
    """All that a crew on Ray does, but for Ray."""

    def __init__(self, handles: list[Handle]) -> None:
        Crew.__init__(self, len(handles))
        self._actors, self._awaited = list(handles), []

    def _get(self, answers: Iterable[Any], timeout: float | None = None) -> list[Any]:
        return list(answers)

    def _free(self) -> None:
        self._actors.clear()


class Course:
    """The steps of one octave by a crew of some size, each member with so many tiles of `tile`
    pixels."""

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
        self._site = job_context(self.plan, folder, 1)
        self.setup: ShardSetup = shard_setup(self.plan, self._site)
        self.grid: Grid = self.setup.grid(0)
        self.blocks = partition(self.grid, members)
        self.sends = halo_exchange(self.grid, self.setup.sampling_grid, self.blocks)
        self.bands = len(self.setup.mix) * len(self.setup.dream.bands)

    @property
    def bytes(self) -> int:
        """What neighbours send each other in a step."""
        return _PIXEL * sum(rect.area for own in self.sends for rect in own.values())

    def handles(self) -> list[Handle]:
        """Stubs for all members."""
        return [
            Handle(member, idle_sums(self.grid, block, self.bands))
            for member, block in enumerate(self.blocks)
        ]

    def run(self, crew: Crew, clock: Callable[[], float]) -> list[float]:
        """What the clock says that each step took, but for the first one, which loads."""
        ticks: list[float] = []

        def watch(seen: Progress) -> None:
            ticks.append(clock())
            if seen.step == seen.steps:
                raise Enough

        checkpoints = Checkpoints(self._site, lambda: None)
        loop = OctaveLoop(self.plan, self.setup, crew, checkpoints, Control(), watch)
        with contextlib.suppress(Enough):
            loop.run()
        return [after - before for before, after in pairwise(ticks[1:])]


def over_stubs(sizes: list[int], tiles: int, steps: int, folder: Path) -> None:
    """Print the table of the coordinator's own code."""
    print("| shards | tiles | parcels a step | own CPU, ms: least | median |")
    print("|---|---|---|---|---|")
    for members in sizes:
        course = Course(members, tiles, 256, steps, folder)
        found = course.run(StubCrew(course.handles()), time.process_time)
        messages = sum(map(len, course.sends))
        print(f"| {members} | {len(course.grid)} | {messages} | ", end="")
        print(f"{min(found) * 1e3:.1f} | {statistics.median(found) * 1e3:.1f} |")


def over_actors(members: int, tile: int, steps: int, folder: Path) -> None:
    """Print what a step takes with as many actors, of one tile each."""
    course = Course(members, 1, tile, steps, folder)
    arguments = [(course.grid, course.bands)] * members
    with local_ray(members, _STORE) as ray_crew, ray_crew(Idler, arguments, Resources()) as crew:
        wall = course.run(crew, time.perf_counter)
        arrived = sum(crew.call("arrived", dict.fromkeys(range(members), ())).values())
        busy = course.run(crew, time.process_time)
    moved = f"{course.bytes / 1e6:.2f} | {arrived / steps / 1e6:.2f}"
    print(f"| {members} | {tile} | {moved} | ", end="")
    print(f"{statistics.median(wall) * 1e3:.1f} | {statistics.median(busy) * 1e3:.1f} |")


def main() -> None:
    """Both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--members", type=int, nargs="+", default=[8, 64, 512])
    parser.add_argument("--tiles", type=int, default=16)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--actors", type=int, default=8)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-coordinator-") as folder:
        over_stubs(options.members, options.tiles, options.steps, Path(folder))
        if options.actors:
            print("\n| actors | tile | MB a step, by geometry | arrived | wall, ms | CPU, ms |")
            print("|---|---|---|---|---|---|")
            for tile in (64, 256):
                over_actors(options.actors, tile, options.steps, Path(folder))


if __name__ == "__main__":
    main()
