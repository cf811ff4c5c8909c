"""A dataset by a pool of two workers, and by two bare processes that dream arrays in a loop.

    python -m tests.bench.dataset [--count 200] [--size 512] [--steps 10] [--rounds 1]

The two take turns, so that what else the machine does hits both alike. Starts do not count: the
clock runs from where each worker has ended its first picture to the end of the last one.
"""

import argparse
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path

import numpy as np
from PIL import Image

from cluster.pool import Pool
from cluster.ray_session import local_ray
from cluster.resources import Resources
from cluster.task import Failed, Finished, Task
from jobs.dataset.local import render_dataset_here
from jobs.planning.dataset import DatasetPlan, make_dataset_plan
from jobs.planning.item_plan import in_memory_setup
from jobs.planning.machine import Machine, this_machine
from jobs.runtime.backend import MemberFactory
from jobs.spec.dataset import DatasetSpec
from jobs.spec.kinds import parse_spec
from render.determinism import dtypes, keep_freed_memory, make_deterministic
from render.engine.in_memory_batch import dream_batch
from render.networks.network import load_network

_WORKERS = 2
_STORE = 100 << 20  # bytes of Ray's own store, through which no picture passes
_WANTED = 0.9
_PAUSE = 0.1  # seconds between two looks at who is there


@dataclass(frozen=True)
class End:
    """A picture ends, at a time of this machine's one steady clock, in seconds."""

    time: float
    worker: int


def rate(ends: Iterable[End]) -> float:
    """Pictures a second, from where every worker has ended its first one."""
    ordered = sorted(ends, key=lambda end: end.time)
    workers = {end.worker for end in ordered}
    if len(workers) < _WORKERS:
        raise ValueError(
            f"{len(workers)} of {_WORKERS} workers ended a picture: take more pictures"
        )
    since = max(min(end.time for end in ordered if end.worker == worker) for worker in workers)
    counted = [end for end in ordered if end.time > since]
    if not counted:
        raise ValueError("nothing is left to be timed: take more pictures")
    return len(counted) / (counted[-1].time - since)


def plan(inputs: Path, steps: int, machine: Machine) -> DatasetPlan:
    """The dream of all pictures, by the network that ships with us."""
    document = {
        "kind": "dataset",
        "name": "bench",
        "inputs": str(inputs),
        "dream": {"steps": steps},
        "crew": {"workers": _WORKERS, "gpus_per_worker": 0},
    }
    spec = parse_spec(document)
    if not isinstance(spec, DatasetSpec):
        raise TypeError(spec)
    return make_dataset_plan(spec, machine)


def draw(folder: Path, count: int, size: int) -> None:
    """Pictures with something to see at every scale, none like another."""
    folder.mkdir()
    for number in range(count):
        numbers = np.random.default_rng(number)
        samples = np.zeros((size, size, 3))
        for side in (4, 16, 64):
            coarse = numbers.integers(0, 256, (side, side, 3), np.uint8)
            image = Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC)
            samples += np.asarray(image) / 3
        Image.fromarray(samples.astype(np.uint8)).save(folder / f"{number:04}.png")


def by_pool(asked: DatasetPlan, out: Path) -> list[End]:
    """The product: listed, decoded, dreamed, encoded, written, and each in the ledger."""
    from cluster.ray_pool import RayPool

    ends: list[End] = []

    class Timed(RayPool):
        def run(self, tasks: Iterable[Task], tick: float) -> Iterator[Finished | Failed | None]:
            for outcome in super().run(tasks, tick):
                # Only items are answered with bytes, their rows.
                if isinstance(outcome, Finished) and isinstance(outcome.value, bytes):
                    ends.append(End(time.monotonic(), outcome.member))
                yield outcome

    @contextmanager
    def start(
        kind: MemberFactory,
        arguments: Sequence[tuple[object, ...]],
        resources: Resources,
        depth: int,
    ) -> Iterator[Pool]:
        with Timed(kind, arguments, resources, depth) as pool:
            _await_all(pool)
            yield pool

    items = render_dataset_here(asked, out, lambda _: None, start)["items"]
    if items["done"] != items["items"]:
        raise RuntimeError(f"not every picture was dreamed: {items}")
    return ends


def _await_all(pool: Pool) -> None:
    """Have every member answer once: a pool begins with the first that is there."""
    there: set[int] = set()
    while len(there) < pool.size:
        asked = [Task(number, "environment") for number in range(pool.size)]
        there |= {one.member for one in pool.run(asked, _PAUSE) if one is not None}
        time.sleep(_PAUSE)


def by_processes(asked: DatasetPlan, pictures: Path) -> list[End]:
    """Two processes, each with its share of the pictures in memory before it is timed."""
    context = multiprocessing.get_context("spawn")
    ends: list[End] = []
    theirs: dict[Connection, int] = {}
    for worker in range(_WORKERS):
        mine, other = context.Pipe()
        paths = sorted(pictures.iterdir())[worker::_WORKERS]
        context.Process(target=_dream, args=(other, asked, paths), daemon=True).start()
        other.close()
        theirs[mine] = worker
    for end in theirs:
        end.recv()
    for end in theirs:
        end.send(True)
    while theirs:
        ready = wait(list(theirs))
        for end in [one for one in theirs if one in ready]:
            try:
                ends.append(End(end.recv(), theirs[end]))
            except EOFError:
                del theirs[end]
    return ends


def _dream(end: Connection, asked: DatasetPlan, paths: list[Path]) -> None:
    make_deterministic()
    keep_freed_memory()
    item_settings = asked.item_settings(0, {})
    name, layers = item_settings.spec.network.name, item_settings.mix.layers
    network = load_network(
        name, item_settings.weights, layers, dtypes(item_settings.precision).network
    )
    pictures = [np.asarray(Image.open(path)) for path in paths]
    end.send(True)
    end.recv()
    for samples in pictures:
        setup = in_memory_setup(item_settings, samples.shape[:2], "cpu", asked.batch)
        dream_batch(network, setup, [samples], [0])
        end.send(time.monotonic())


def compare(count: int, size: int, steps: int, rounds: int, scratch: Path) -> None:
    """Time both, in turns, and print."""
    pictures = scratch / "pictures"
    draw(pictures, count, size)
    asked = plan(pictures, steps, this_machine())
    print(f"{count} pictures of {size} x {size}, {steps} steps an octave, {_WORKERS} workers\n")
    print(f"| round | pool, pictures/s | bare, pictures/s | pool / bare (wanted {_WANTED}) |")
    print("|---|---|---|---|")
    ratios = []
    with local_ray(_WORKERS, _STORE):
        for turn in range(rounds):
            pool = rate(by_pool(asked, scratch / f"out-{turn}"))
            bare = rate(by_processes(asked, pictures))
            ratios.append(pool / bare)
            print(f"| {turn + 1} | {pool:.3f} | {bare:.3f} | {ratios[-1]:.2f} |", flush=True)
    print(f"| median | | | {statistics.median(ratios):.2f} |")


def main() -> None:
    """Draw the pictures, and compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-items-") as folder:
        compare(options.count, options.size, options.steps, options.rounds, Path(folder))


if __name__ == "__main__":
    main()
