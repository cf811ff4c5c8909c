"""A short measurement on this machine: a tile's arithmetic, as its workers will do it.

In processes of their own, as many at once as workers will share the machine, since they also share
its memory and its caches. Each is given a plan on its standard input, says when it is ready, and
measures when all are.
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
from jobs.planning.poster import Plan
from jobs.text.errors import JobsError
from render.geometry.rect import Rect

if TYPE_CHECKING:
    from render.networks.network import Network


_LARGEST = 640
"""Pixels a side of the window that is measured: half a second or one, on a core."""


_SMALLER = 2
"""By how much a second window's side is smaller: the two tell what every window costs."""


_ROUNDS = 3


_Pipes = subprocess.Popen[bytes]


class ProbeFailed(JobsError):  # noqa: N818 - the news is in the name
    """A tile's arithmetic could not be done on this machine."""


class Times(NamedTuple):
    """Seconds for the slopes of a window, and for what is done with them."""

    climb: float
    pull: float


def measured_speed(plan: Plan, at_once: int) -> Speed:
    """The speed of each of so many workers of a plan that share this machine.

    Takes ten seconds or so. Raises ProbeFailed.
    """
    command = [sys.executable, "-m", "jobs.planning.estimate.probe"]
    pipe, question = subprocess.PIPE, pickle.dumps(plan)
    with ExitStack() as stack:
        probes = [
            stack.enter_context(
                subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.PIPE)
            )
            for _ in range(at_once)
        ]
        for probe in probes:
            _tell(probe, question)
        for probe in probes:
            _heard(probe)
        for probe in probes:
            _tell(probe, b"all are ready\n")
        answers = [json.loads(_heard(probe)) for probe in probes]
    window, window_pixel, pixel = (statistics.mean(values) for values in zip(*answers, strict=True))
    return Speed(window, window_pixel, pixel, origin="measured on this machine")


def _tell(probe: _Pipes, what: bytes) -> None:
    assert probe.stdin is not None
    try:
        probe.stdin.write(what)
        probe.stdin.flush()
    except BrokenPipeError:
        _heard(probe)


def _heard(probe: _Pipes) -> bytes:
    """The next line that a probe says."""
    assert probe.stdout is not None
    assert probe.stderr is not None
    line = probe.stdout.readline()
    if not line:
        last = probe.stderr.read().decode(errors="replace").strip().rpartition("\n")[2]
        raise ProbeFailed(f"this machine cannot be measured ({last}); use --no-probe")
    return line


def _main() -> None:
    plan: Plan = pickle.load(sys.stdin.buffer)
    network = _network(plan)
    side = min(plan.octaves[-1].window, _LARGEST)
    _times(plan, network, side)
    _say("ready")
    if sys.stdin.buffer.readline():
        _say(json.dumps(_answer(plan, network, side)))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _network(plan: Plan) -> "Network":
    """The network in a process that is set up like a worker's."""
    import torch

    from render.determinism import (
        arithmetic,
        keep_freed_memory,
        make_repeatable,
        return_freed_memory,
    )
    from render.dream.guide import attentive
    from render.networks.network import load_network

    make_repeatable()
    if plan.device == "cpu":
        return_freed_memory() if plan.memory.is_limited else keep_freed_memory()
    network = load_network(
        plan.spec.network.name,
        plan.weights,
        plan.mix.layers,
        arithmetic(plan.precision).network,
        torch.device(plan.device),
    )
    return attentive(network, plan.mix, plan.survey.units)


def _answer(plan: Plan, network: "Network", side: int) -> tuple[float, float, float]:
    """What every window costs, and each of its pixels, and each pixel of what is pulled."""
    large = _median(plan, network, side)
    small = _median(plan, network, side // _SMALLER)
    area, less = side**2, (side // _SMALLER) ** 2
    growth = (large.climb - small.climb) / (area - less)
    window = min(max(small.climb - growth * less, 0.0), small.climb)
    return window, max(large.climb - window, 0.0) / area, large.pull / area


def _median(plan: Plan, network: "Network", side: int) -> Times:
    rounds = [_times(plan, network, side) for _ in range(_ROUNDS)]
    return Times(*(statistics.median(found) for found in zip(*rounds, strict=True)))


def _times(plan: Plan, network: "Network", side: int) -> Times:
    """One step of a tile that is all of its window, and all of its picture."""
    import torch

    from render.determinism import arithmetic
    from render.dream.band_gradient import View, pulls, slopes
    from render.dream.update import ascend, magnitudes

    dream, whole, size = plan.spec.dream, Rect(0, 0, side, side), (side, side)
    canvas = torch.randn((side, side, 3), dtype=arithmetic(plan.precision).canvas).to(plan.device)
    view = View(canvas, whole, whole, plan.lattice.place(whole, (0, 0), size))
    objectives = [replace(one, at=None) for one in plan.mix]
    begun = time.perf_counter()
    found = slopes(network, objectives, dream, view)
    # To ask for a value is to wait for the device.
    found[0].sum().item()
    climbed = time.perf_counter()
    magnitudes(pulls(found, whole, size, dream)).tolist()
    cut = pulls(found, whole, size, dream)
    ascend(canvas, cut, [1.0] * len(cut), dream=dream).sum().item()
    return Times(climbed - begun, time.perf_counter() - climbed)


if __name__ == "__main__":
    _main()
