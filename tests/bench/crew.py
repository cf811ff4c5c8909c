"""Compares a crew of two Ray actors, one thread each, with two threads in one process.

    python -m tests.bench.crew [--size 2400x1600] [--steps 3] [--rounds 3]

Both render the same poster in turns, so that other load on the machine affects both alike. The
start of the crew is not part of the times. A ratio of 1 means that sharing the work costs nothing.
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
_STORE = 256 << 20  # bytes; the halos of a poster this small are a few MiB


class ThreadedWorker(Worker):
    """Renders the whole poster in one process, with as many threads as the crew has members."""

    def __init__(self, setup: ShardSetup, context: JobContext, member: int) -> None:
        super().__init__(setup, context, member)
        torch.set_num_threads(_WORKERS)


def plan(size: str, steps: int, workers: int) -> PosterPlan:
    """A poster of noise by the built-in network, the same for any number of workers."""
    document = {
        "input": {"noise": {"seed": 0}},
        "size": size,
        "dream": {"octaves": 2, "steps": steps},
        "crew": {"workers": workers},
    }
    return make_plan(parse_poster_spec(document), this_machine())


def arguments(poster: PosterPlan, folder: Path) -> list[tuple[object, ...]]:
    """The workers' constructor arguments. The workers serve all rounds, each with lease 1."""
    context = job_context(poster, folder, 1)
    return [(shard_setup(poster, context), context, member) for member in range(poster.workers)]


def seconds(poster: PosterPlan, crew: Crew, folder: Path) -> float:
    """The seconds of one render, from decoding to the written file."""

    @contextmanager
    def running(*_: object) -> Iterator[Crew]:
        yield crew

    begun = time.perf_counter()
    claim_poster(poster, folder, running).run()
    elapsed = time.perf_counter() - begun
    shutil.rmtree(folder)
    return elapsed


def compare(shared: PosterPlan, whole: PosterPlan, rounds: int, scratch: Path) -> None:
    """Time both in turns, and print the medians."""
    crew_folder, process_folder = scratch / "crew", scratch / "process"
    begun = time.perf_counter()
    with local_ray(_WORKERS, _STORE) as ray_crew:
        joined = time.perf_counter()
        with (
            ray_crew(Worker, arguments(shared, crew_folder), Resources()) as crew,
            LocalCrew(ThreadedWorker, arguments(whole, process_folder)) as process,
        ):
            started = time.perf_counter()
            pairs = [
                (seconds(shared, crew, crew_folder), seconds(whole, process, process_folder))
                for _ in range(rounds + 1)
            ][1:]
    by_crew, by_process = (statistics.median(times) for times in zip(*pairs, strict=True))
    print(f"{whole.size[1]} x {whole.size[0]}, tiles of {whole.octaves[-1].tile}, ", end="")
    print(f"{whole.megapixel_steps:.1f} megapixel-steps, median of {rounds} rounds\n")
    print("| | s |\n|---|---|")
    print(f"| start: Ray | {joined - begun:.1f} |")
    print(f"| start: the crew | {started - joined:.1f} |")
    print(f"| a crew of {_WORKERS} | {by_crew:.1f} |")
    print(f"| {_WORKERS} threads in one process | {by_process:.1f} |")
    print(f"| ratio | {by_crew / by_process:.2f} |")


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="2400x1600")
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    shared, whole = (plan(options.size, options.steps, workers) for workers in (_WORKERS, 1))
    with tempfile.TemporaryDirectory(prefix="bench-crew-") as folder:
        compare(shared, whole, options.rounds, Path(folder))


if __name__ == "__main__":
    main()
