"""One poster by a Ray crew of two with a thread each, and by two threads in one process.

    python -m tests.bench.crew [--size 2400x1600] [--steps 3] [--rounds 3]

The two take turns, so that what else the machine does hits both alike; the crew's start is printed
apart. A ratio of 1 means that dividing the work costs nothing.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from cluster.crew import Crew
from cluster.local import LocalCrew
from cluster.ray_session import local_ray
from cluster.resources import Resources
from jobs.planning.machine import this_machine
from jobs.planning.poster import PosterPlan, make_plan
from jobs.poster.worker import Worker
from jobs.poster.worker_setup import shard_setup
from jobs.runtime.context import JobContext
from jobs.spec.document import parse_poster_spec
from render.engine.setup import ShardSetup
from tests.support.small_poster import claim_poster, job_context

_WORKERS = 2
_STORE = 256 << 20  # bytes; the fragments of a poster this small are a few MiB


class TwoThreads(Worker):
    """The whole poster in one process, by as many threads as the crew has members."""

    def __init__(self, known: ShardSetup, site: JobContext, member: int) -> None:
        super().__init__(known, site, member)
        torch.set_num_threads(_WORKERS)


def plan(size: str, steps: int, workers: int) -> PosterPlan:
    """The same dream of noise for any number of workers, by the network that ships with us."""
    document = {
        "input": {"noise": {"seed": 0}},
        "size": size,
        "dream": {"octaves": 2, "steps": steps},
        "crew": {"workers": workers},
    }
    return make_plan(parse_poster_spec(document), this_machine())


def arguments(poster: PosterPlan, folder: Path) -> list[tuple[object, ...]]:
    """What the workers are made with: they stay for all rounds, each of which is lease 1."""
    site = job_context(poster, folder, 1)
    return [(shard_setup(poster, site), site, member) for member in range(poster.workers)]


def seconds(poster: PosterPlan, crew: Crew, folder: Path) -> float:
    """One render, from decoding to the written file."""

    @contextmanager
    def there(*_: object) -> Iterator[Crew]:
        yield crew

    begun = time.perf_counter()
    claim_poster(poster, folder, there).run()
    elapsed = time.perf_counter() - begun
    shutil.rmtree(folder)
    return elapsed


def compare(divided: PosterPlan, whole: PosterPlan, rounds: int, scratch: Path) -> None:
    """Time both, in turns, and print."""
    ours, theirs = scratch / "crew", scratch / "process"
    begun = time.perf_counter()
    with local_ray(_WORKERS, _STORE) as ray_crew:
        joined = time.perf_counter()
        with (
            ray_crew(Worker, arguments(divided, ours), Resources()) as crew,
            LocalCrew(TwoThreads, arguments(whole, theirs)) as process,
        ):
            started = time.perf_counter()
            pairs = [
                (seconds(divided, crew, ours), seconds(whole, process, theirs))
                for _ in range(rounds + 1)
            ][1:]
    by_crew, by_process = (statistics.median(times) for times in zip(*pairs, strict=True))
    print(f"{whole.size[1]} x {whole.size[0]}, tiles of {whole.tile}, ", end="")
    print(f"{whole.megapixel_steps:.1f} megapixel-steps, median of {rounds} rounds\n")
    print("| | s |\n|---|---|")
    print(f"| start: Ray | {joined - begun:.1f} |")
    print(f"| start: the crew | {started - joined:.1f} |")
    print(f"| a crew of {_WORKERS} | {by_crew:.1f} |")
    print(f"| {_WORKERS} threads in one process | {by_process:.1f} |")
    print(f"| ratio | {by_crew / by_process:.2f} |")


def main() -> None:
    """Plan the poster for both, and compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="2400x1600")
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    divided, whole = (plan(options.size, options.steps, workers) for workers in (_WORKERS, 1))
    with tempfile.TemporaryDirectory(prefix="bench-crew-") as folder:
        compare(divided, whole, options.rounds, Path(folder))


if __name__ == "__main__":
    main()
