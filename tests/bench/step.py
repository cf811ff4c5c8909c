"""Compares one gradient step on one window with a plain step and with its convolutions alone.

    python -m tests.bench.step [--size 1024] [--cores 2 1] [--precision float32] [--rounds 5]

Each of the three runs in its own process, with its own memory and settings. They take turns, so
that other load on the machine affects all alike. The ratios are reliable; on a busy machine, those
of CPU time. Each convolution alone is computed by oneDNN in the faster of two ways: as torch calls
it, or as the project does. The project's step has its fixed number of threads on any cores.
"""

import argparse
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import get_args

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.feature_extraction import create_feature_extractor

from render.determinism import dtypes, keep_freed_memory, make_deterministic, use_threads
from render.device import ResolvedPrecision
from render.dream.gradient import gradients
from render.dream.objective import Mix, Objective
from render.engine.setup import window_threads
from render.geometry.rect import Rect
from render.networks.convolution import FixedConv2d
from render.networks.network import prepare_network
from tests.bench.seeded import seeded

NETWORK, LAYER = "googlenet", "inception4c"

Work = Callable[[], object]


def plain_step(size: int, precision: ResolvedPrecision) -> Work:
    """A plain step: eager, NCHW, batch norm unfolded, autograd through the whole network."""
    dtype = dtypes(precision).network
    network = _plain_network().to(dtype)
    picture = torch.randn(1, 3, size, size, dtype=dtype)

    def work() -> Tensor:
        pixels = picture.detach().requires_grad_()
        seen = network(pixels)[LAYER]
        (gradient,) = torch.autograd.grad(seen, pixels, seen.detach())
        return gradient

    return work


def our_step(size: int, precision: ResolvedPrecision) -> Work:
    """The project's step, on a window without a halo, with deterministic kernels as in a shard."""
    make_deterministic()
    keep_freed_memory()
    use_threads(window_threads(size**2, precision))
    network = prepare_network(seeded(NETWORK), (LAYER,), dtypes(precision).network)
    mix = Mix((Objective(LAYER),))
    window = torch.randn(size, size, 3)
    return lambda: gradients(network, mix, window, Rect(0, 0, size, size))


def convolutions_alone(size: int, precision: ResolvedPrecision) -> Work:
    """Each convolution forward and then its input gradient, with prepared inputs."""
    keep_freed_memory()
    parts: list[Work] = []
    for layer, seen, gradient in _record_convolutions(size, dtypes(precision).network):
        parts += _forward_ways(layer, seen), _backward_ways(layer, seen, gradient)

    def work() -> None:
        for part in parts:
            part()

    return work


def _forward_ways(layer: nn.Conv2d, seen: Tensor) -> Work:
    own = FixedConv2d(layer)
    return _fastest(
        lambda: functional.conv2d(seen, layer.weight, layer.bias, layer.stride, layer.padding),
        lambda: own(seen),
    )


def _backward_ways(layer: nn.Conv2d, seen: Tensor, gradient: Tensor) -> Work:
    own, size = FixedConv2d(layer), (seen.shape[2], seen.shape[3])
    geometry = layer.stride, layer.padding, layer.dilation, False, [0, 0], layer.groups
    return _fastest(
        lambda: torch.ops.aten.convolution_backward(
            gradient, seen, layer.weight, None, *geometry, (True, False, False)
        ),
        lambda: own.gradient(gradient, size),
    )


def _fastest(*ways: Work) -> Work:
    def seconds(way: Work) -> float:
        way()
        began = time.process_time()
        way()
        return time.process_time() - began

    return min(ways, key=seconds)


def _plain_network() -> nn.Module:
    network: nn.Module = create_feature_extractor(seeded(NETWORK), [LAYER])
    return network.requires_grad_(False)


def _record_convolutions(size: int, dtype: torch.dtype) -> list[tuple[nn.Conv2d, Tensor, Tensor]]:
    """Each convolution of the network with its input and an output gradient, channels_last."""
    network = _plain_network().to(dtype).to(memory_format=torch.channels_last)
    found: list[tuple[nn.Conv2d, Tensor, Tensor]] = []

    def record(layer: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        if isinstance(layer, nn.Conv2d):
            found.append((layer, inputs[0].clone(), torch.randn_like(output)))

    for layer in network.modules():
        layer.register_forward_hook(record)
    with torch.no_grad():
        picture = torch.randn(1, 3, size, size, dtype=dtype)
        network(picture.to(memory_format=torch.channels_last))
    return found


VARIANTS: dict[str, Callable[[int, ResolvedPrecision], Work]] = {
    "plain": plain_step,
    "ours": our_step,
    "convolutions": convolutions_alone,
}


def medians(
    size: int, precision: ResolvedPrecision, cores: int, rounds: int
) -> dict[str, tuple[float, float]]:
    """The median wall and CPU seconds of each variant over interleaved rounds, after a warm-up."""
    context = multiprocessing.get_context("spawn")
    connections: dict[str, Connection] = {}
    for name in VARIANTS:
        connections[name], far = context.Pipe()
        context.Process(
            target=_serve, args=(far, name, size, precision, cores), daemon=True
        ).start()
        connections[name].recv()
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in VARIANTS}
    for _ in range(rounds):
        for name, connection in connections.items():
            connection.send(True)
            seconds[name].append(connection.recv())
    for connection in connections.values():
        connection.send(False)
    return {
        name: (statistics.median(w for w, _ in found), statistics.median(c for _, c in found))
        for name, found in seconds.items()
    }


def _serve(
    connection: Connection, name: str, size: int, precision: ResolvedPrecision, cores: int
) -> None:
    """Run the work for each True received, and send back its seconds; False ends the process."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    torch.manual_seed(0)
    torch.set_num_threads(cores)
    work = VARIANTS[name](size, precision)
    work()
    connection.send(True)
    while connection.recv():
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        connection.send((time.perf_counter() - wall, time.process_time() - cpu))


def main() -> None:
    """Print a row for each number of cores and each clock."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--cores", type=int, nargs="+", default=[2, 1])
    parser.add_argument("--precision", choices=get_args(ResolvedPrecision), default="float32")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(f"{NETWORK} {LAYER}, {options.size} x {options.size}, {options.precision}:")
    print(f"seconds of a step, the median of {options.rounds} interleaved rounds\n")
    print("| cores | clock | plain | ours | convolutions | plain / ours | ours / convolutions |")
    print("|---|---|---|---|---|---|---|")
    for cores in options.cores:
        found = medians(options.size, options.precision, cores, options.rounds)
        for position, clock in enumerate(("wall", "CPU")):
            plain, ours, alone = (found[name][position] for name in VARIANTS)
            print(
                f"| {cores} | {clock} | {plain:.2f} | {ours:.2f} | {alone:.2f} "
                f"| {plain / ours:.2f} | {ours / alone:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
