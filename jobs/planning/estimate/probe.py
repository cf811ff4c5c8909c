"""A short measurement on this machine: one step of a tile, as the plan's workers do it.

Each probe is a process. There is one for each worker that will share the machine, because workers
also share its memory and caches. A probe reads a plan from standard input, prints that it is ready,
and measures once all are ready.
"""

import json
import pickle
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from jobs.planning.estimate.speed import Speed
from jobs.planning.poster import PosterPlan
from jobs.text.errors import JobsError
from render.geometry.rect import Rect

if TYPE_CHECKING:
    from render.networks.network import Network


_MAX_WINDOW = 640
"""The side of the measured window, in pixels, at most: about a second on a core."""


_SHRINK = 2
"""The side of a second window is divided by this. Both times together give the cost of a window
without its pixels."""


_ROUNDS = 3


_Process = subprocess.Popen[bytes]


class ProbeFailed(JobsError):  # noqa: N818 - the name states the failure
    """This machine could not run a step of a tile."""


class StepSeconds(NamedTuple):
    """Seconds for the gradients of a window, and for the update with them."""

    gradient: float
    update: float


def measure_speed(plan: PosterPlan, workers: int) -> Speed:
    """Measure the mean speed of workers that share this machine. workers: how many compute at once.

    Takes about ten seconds. Raises ProbeFailed.
    """
    command = [sys.executable, "-m", "jobs.planning.estimate.probe"]
    pipe, pickled_plan = subprocess.PIPE, pickle.dumps(plan)
    with ExitStack() as stack:
        probes = [
            stack.enter_context(
                subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.PIPE)
            )
            for _ in range(workers)
        ]
        for probe in probes:
            _send(probe, pickled_plan)
        for probe in probes:
            _receive_line(probe)
        for probe in probes:
            _send(probe, b"all are ready\n")
        answers = [json.loads(_receive_line(probe)) for probe in probes]
    window, window_pixel, pixel = (statistics.mean(values) for values in zip(*answers, strict=True))
    return Speed(window, window_pixel, pixel, origin="measured on this machine")


def _send(probe: _Process, message: bytes) -> None:
    assert probe.stdin is not None
    try:
        probe.stdin.write(message)
        probe.stdin.flush()
    except BrokenPipeError:
        _receive_line(probe)


def _receive_line(probe: _Process) -> bytes:
    """The next line that a probe prints. Raises ProbeFailed if the probe has ended."""
    assert probe.stdout is not None
    assert probe.stderr is not None
    line = probe.stdout.readline()
    if not line:
        last = probe.stderr.read().decode(errors="replace").strip().rpartition("\n")[2]
        raise ProbeFailed(f"this machine cannot be measured ({last}); use --no-probe")
    return line


def _main() -> None:
    plan: PosterPlan = pickle.load(sys.stdin.buffer)
    network = _load_network(plan)
    side = min(plan.octaves[-1].window, _MAX_WINDOW)
    _time_step(plan, network, side)
    _print_line("ready")
    if sys.stdin.buffer.readline():
        _print_line(json.dumps(_fit_speed(plan, network, side)))


def _print_line(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _load_network(plan: PosterPlan) -> "Network":
    """Set this process up like a worker's, and load the network."""
    import torch

    from render.determinism import (
        dtypes,
        keep_freed_memory,
        make_deterministic,
        return_freed_memory,
        use_threads,
    )
    from render.dream.attachments import prepare_objectives
    from render.networks.network import load_network

    make_deterministic()
    if plan.device == "cpu":
        return_freed_memory() if plan.memory.is_limited else keep_freed_memory()
        use_threads(plan.threads)
    network = load_network(
        plan.spec.network.name,
        plan.weights,
        plan.mix.layers,
        dtypes(plan.precision).network,
        torch.device(plan.device),
    )
    return prepare_objectives(network, plan.mix, plan.profile.units)


def _fit_speed(plan: PosterPlan, network: "Network", side: int) -> tuple[float, float, float]:
    """Seconds for each window, for each pixel of a window, and for each updated pixel."""
    large = _median_seconds(plan, network, side)
    small = _median_seconds(plan, network, side // _SHRINK)
    large_area, small_area = side**2, (side // _SHRINK) ** 2
    per_pixel = (large.gradient - small.gradient) / (large_area - small_area)
    window = min(max(small.gradient - per_pixel * small_area, 0.0), small.gradient)
    return window, max(large.gradient - window, 0.0) / large_area, large.update / large_area


def _median_seconds(plan: PosterPlan, network: "Network", side: int) -> StepSeconds:
    rounds = [_time_step(plan, network, side) for _ in range(_ROUNDS)]
    return StepSeconds(*(statistics.median(seconds) for seconds in zip(*rounds, strict=True)))


def _time_step(plan: PosterPlan, network: "Network", side: int) -> StepSeconds:
    """Time one step of a tile that fills its window and its picture."""
    import torch

    from render.determinism import dtypes
    from render.dream.band_gradient import TileView, band_gradients, tile_gradients
    from render.dream.canvas import abs_sums, ascend

    dream = replace(plan.spec.dream, edges="zero")
    grid = replace(plan.sampling_grid, edges="zero")
    whole, size = Rect(0, 0, side, side), (side, side)
    canvas = torch.randn((side, side, 3), dtype=dtypes(plan.precision).canvas).to(plan.device)
    view = TileView(canvas, whole, whole, grid.window_position(whole, (0, 0), size))
    objectives = [replace(one, at=None) for one in plan.mix]
    started = time.perf_counter()
    gradients = tile_gradients(network, objectives, dream, view)
    # Reading a value waits for the device.
    gradients[0].sum().item()
    has_gradients = time.perf_counter()
    abs_sums(band_gradients(gradients, whole, size, dream)).tolist()
    bands = band_gradients(gradients, whole, size, dream)
    ascend(canvas, bands, [1.0] * len(bands), dream=dream).sum().item()
    return StepSeconds(has_gradients - started, time.perf_counter() - has_gradients)


if __name__ == "__main__":
    _main()
