"""Compares work shared by measured speed with equal shares, where one of two workers is slow.

    python -m tests.bench.load_balancer [--size 1600x1200] [--steps 10] [--rounds 2]

The crew has two Ray actors, each pinned to a core. A process that is always busy shares the second
actor's core. Needs two cores.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cluster.crew import Crew
from cluster.ray_session import local_ray
from cluster.resources import Resources
from jobs.planning.machine import this_machine
from jobs.planning.poster import PosterPlan, make_plan
from jobs.poster.worker import Worker
from jobs.runtime.context import JobContext
from jobs.runtime.metrics.counters import WorkerTimings
from jobs.spec.document import parse_poster_spec
from render.engine.setup import ShardSetup
from tests.bench.crew import arguments
from tests.support.seeded_networks import save_seeded_weights
from tests.support.small_poster import LAYER, NETWORK, claim_poster, poster_document

if TYPE_CHECKING:
    from cluster.ray_crew import RayCrew

_STORE = 256 << 20
_BUSY = "import os; os.sched_setaffinity(0, {1}); os.nice(15)\nwhile True: pass"
"""The niceness is that of Ray's workers."""


class PinnedWorker(Worker):
    """Runs on its own core."""

    def __init__(self, setup: ShardSetup, context: JobContext, member: int) -> None:
        os.sched_setaffinity(0, {member})
        super().__init__(setup, context, member)


class UntimedWorker(PinnedWorker):
    """Reports no times, so that the load balancer keeps equal shares."""

    def timings(self) -> WorkerTimings:
        return WorkerTimings()


def plan(size: str, steps: int, weights: Path) -> PosterPlan:
    """A poster of noise with many tiles for each worker."""
    settings = (
        "input.noise.seed=0",
        f"size={size}",
        f"dream.steps={steps}",
        "dream.octaves=4",
        "tiles=96",
        "crew.workers=2",
    )
    return make_plan(parse_poster_spec(poster_document(None, weights, *settings)), this_machine())


@contextmanager
def busy_second_core() -> Iterator[None]:
    """Run a busy process on the second core within this context."""
    process = subprocess.Popen([sys.executable, "-c", _BUSY])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def dream_seconds(
    poster: PosterPlan, worker: type[Worker], ray_crew: "type[RayCrew]", folder: Path
) -> float:
    """The seconds of the dream alone, by a new crew."""

    @contextmanager
    def started(*_: object) -> Iterator[Crew]:
        with ray_crew(worker, arguments(poster, folder), Resources()) as crew:
            yield crew

    seconds: float = claim_poster(poster, folder, started).run()["seconds"]["dream"]
    shutil.rmtree(folder)
    return seconds


def compare(poster: PosterPlan, rounds: int, scratch: Path) -> None:
    """Time both in turns, and print the medians."""
    with local_ray(poster.workers, _STORE) as ray_crew, busy_second_core():
        begun = time.perf_counter()
        pairs = [
            tuple(
                dream_seconds(poster, worker, ray_crew, scratch / "job")
                for worker in (PinnedWorker, UntimedWorker)
            )
            for _ in range(rounds)
        ]
        took = time.perf_counter() - begun
    by_speed, equal = (statistics.median(times) for times in zip(*pairs, strict=True))
    print(f"{poster.size[1]} x {poster.size[0]}, tiles of {poster.octaves[-1].tile}, ", end="")
    print(f"{poster.megapixel_steps:.1f} megapixel-steps, {rounds} rounds in {took:.0f} s\n")
    print("| shares | dreaming, s |\n|---|---|")
    print(f"| equal | {equal:.1f} |")
    print(f"| by measured speed | {by_speed:.1f} |")
    print(f"| ratio | {by_speed / equal:.2f} |")


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="1600x1200")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-shares-") as folder:
        weights = save_seeded_weights(NETWORK, (LAYER,), Path(folder) / "seeded.safetensors")
        compare(plan(options.size, options.steps, weights), options.rounds, Path(folder))


if __name__ == "__main__":
    main()
