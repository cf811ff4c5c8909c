"""Compares a dataset rendered by a pool of two workers with two plain loops over arrays.

    python -m tests.bench.dataset [--count 200] [--size 512] [--steps 10] [--rounds 1]

Both take turns, so that other load on the machine affects both alike. Starts do not count: the
clock starts when every worker has finished its first picture, and stops after the last picture.
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
from jobs.runtime.publish import Target
from jobs.spec.dataset import DatasetSpec
from jobs.spec.kinds import parse_spec
from render.determinism import dtypes, keep_freed_memory, make_deterministic
from render.engine.in_memory_batch import dream_batch
from render.networks.network import load_network

_WORKERS = 2
_STORE = 100 << 20  # bytes of Ray's object store; no picture passes through it
_WANTED = 0.9
_PAUSE = 0.1  # seconds


@dataclass(frozen=True)
class FinishedPicture:
    """When a picture was finished, in seconds of the monotonic clock, and by which worker."""

    time: float
    worker: int


def rate(ends: Iterable[FinishedPicture]) -> float:
    """Pictures a second, after every worker has finished its first picture.

    Raises ValueError if there are too few pictures.
    """
    ordered = sorted(ends, key=lambda end: end.time)
    workers = {end.worker for end in ordered}
    if len(workers) < _WORKERS:
        raise ValueError(
            f"{len(workers)} of {_WORKERS} workers finished a picture: use more pictures"
        )
    since = max(min(end.time for end in ordered if end.worker == worker) for worker in workers)
    counted = [end for end in ordered if end.time > since]
    if not counted:
        raise ValueError("no pictures are left to time: use more pictures")
    return len(counted) / (counted[-1].time - since)


def plan(inputs: Path, steps: int, machine: Machine) -> DatasetPlan:
    """A dataset of all pictures, rendered by the built-in network."""
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
    """Draw different pictures with details at every scale."""
    folder.mkdir()
    for number in range(count):
        numbers = np.random.default_rng(number)
        samples = np.zeros((size, size, 3))
        for side in (4, 16, 64):
            coarse = numbers.integers(0, 256, (side, side, 3), np.uint8)
            image = Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC)
            samples += np.asarray(image) / 3
        Image.fromarray(samples.astype(np.uint8)).save(folder / f"{number:04}.png")


def render_by_pool(dataset: DatasetPlan, out: Path) -> list[FinishedPicture]:
    """Render with the product: listing, decoding, dreaming, encoding, writing, and the ledger."""
    from cluster.ray_pool import RayPool

    ends: list[FinishedPicture] = []

    class TimedPool(RayPool):
        def run(self, tasks: Iterable[Task], tick: float) -> Iterator[Finished | Failed | None]:
            for outcome in super().run(tasks, tick):
                # Only items return bytes: their ledger rows.
                if isinstance(outcome, Finished) and isinstance(outcome.value, bytes):
                    ends.append(FinishedPicture(time.monotonic(), outcome.member))
                yield outcome

    @contextmanager
    def start(
        kind: MemberFactory,
        arguments: Sequence[tuple[object, ...]],
        resources: Resources,
        depth: int,
    ) -> Iterator[Pool]:
        with TimedPool(kind, arguments, resources, depth) as pool:
            _wait_for_all(pool)
            yield pool

    items = render_dataset_here(dataset, Target(out), lambda _: None, start)["items"]
    if items["done"] != items["items"]:
        raise RuntimeError(f"not every picture was rendered: {items}")
    return ends


def _wait_for_all(pool: Pool) -> None:
    """Wait until every member has run a task. A pool starts work with its first member."""
    ready: set[int] = set()
    while len(ready) < pool.size:
        tasks = [Task(number, "environment") for number in range(pool.size)]
        ready |= {one.member for one in pool.run(tasks, _PAUSE) if one is not None}
        time.sleep(_PAUSE)


def render_by_loops(dataset: DatasetPlan, pictures: Path) -> list[FinishedPicture]:
    """Render in two processes, each with its part of the pictures in memory beforehand."""
    context = multiprocessing.get_context("spawn")
    ends: list[FinishedPicture] = []
    connections: dict[Connection, int] = {}
    for worker in range(_WORKERS):
        near, far = context.Pipe()
        paths = sorted(pictures.iterdir())[worker::_WORKERS]
        context.Process(target=_dream, args=(far, dataset, paths), daemon=True).start()
        far.close()
        connections[near] = worker
    for connection in connections:
        connection.recv()
    for connection in connections:
        connection.send(True)
    while connections:
        ready = wait(list(connections))
        for connection in [one for one in connections if one in ready]:
            try:
                finished = FinishedPicture(connection.recv(), connections[connection])
                ends.append(finished)
            except EOFError:
                del connections[connection]
    return ends


def _dream(connection: Connection, dataset: DatasetPlan, paths: list[Path]) -> None:
    make_deterministic()
    keep_freed_memory()
    item_settings = dataset.item_settings(0, {})
    name, layers = item_settings.spec.network.name, item_settings.mix.layers
    network = load_network(
        name, item_settings.weights, layers, dtypes(item_settings.precision).network
    )
    pictures = [np.asarray(Image.open(path)) for path in paths]
    connection.send(True)
    connection.recv()
    for samples in pictures:
        size = samples.shape[:2]
        setup = in_memory_setup(item_settings, size, size, "cpu", dataset.batch)
        dream_batch(network, setup, [samples], [0])
        connection.send(time.monotonic())


def compare(count: int, size: int, steps: int, rounds: int, scratch: Path) -> None:
    """Time both in turns, and print the ratios."""
    pictures = scratch / "pictures"
    draw(pictures, count, size)
    dataset = plan(pictures, steps, this_machine())
    print(f"{count} pictures of {size} x {size}, {steps} steps an octave, {_WORKERS} workers\n")
    print(f"| round | pool, pictures/s | loops, pictures/s | pool / loops (wanted {_WANTED}) |")
    print("|---|---|---|---|")
    ratios = []
    with local_ray(_WORKERS, _STORE):
        for turn in range(rounds):
            pool = rate(render_by_pool(dataset, scratch / f"out-{turn}"))
            loops = rate(render_by_loops(dataset, pictures))
            ratios.append(pool / loops)
            print(f"| {turn + 1} | {pool:.3f} | {loops:.3f} | {ratios[-1]:.2f} |", flush=True)
    print(f"| median | | | {statistics.median(ratios):.2f} |")


def main() -> None:
    """Run the comparison."""
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
