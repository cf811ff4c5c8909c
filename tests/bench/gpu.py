"""Checks exactness and repeatability on a GPU, and measures speed.

    python -m tests.bench.gpu [--device cuda] [--quick]

Needs `render`, torch and torchvision only; weights are seeded. `--quick` makes everything small
enough for a CPU. Prints Markdown. The exit code is 1 if a check failed.
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from render.determinism import dtypes, make_deterministic
from render.device import ResolvedPrecision
from render.dream.config import Dream
from render.dream.gradient import gradients
from render.dream.objective import Mix, Objective
from render.dream.reference import picture_gradients
from render.engine.cost_model import window_cost
from render.engine.tile_store import assemble
from render.geometry.grid import Grid
from render.geometry.rect import Rect, Size
from render.geometry.sampling_grid import SamplingGrid
from render.networks.catalogue import build_network
from render.networks.maxpool import DeterministicMaxPool2d
from render.networks.network import Network, prepare_network
from render.networks.receptive_field import layer_grid
from tests.bench.seeded import seeded

_SPEEDS: tuple[ResolvedPrecision, ...] = ("float32", "bfloat16")
_PLAIN = Dream(smooth=None, palette="free")
_SHIFT = (5, 3)
_JITTER = 13


@dataclass(frozen=True)
class Workload:
    """What is measured: networks with a layer, sizes in pixels, and rounds."""

    networks: tuple[tuple[str, str], ...]
    picture: Size
    tile: int
    tiles: tuple[int, ...]
    matrix: int
    rounds: int


_FULL = Workload(
    networks=(("googlenet", "inception4c"), ("squeezenet1_0", "features.9")),
    picture=(1100, 1300),
    tile=256,
    tiles=(512, 1024, 2048, 4096),
    matrix=8192,
    rounds=5,
)
_QUICK = Workload(
    networks=(("squeezenet1_0", "features.4"),),
    picture=(60, 110),
    tile=32,
    tiles=(16, 32),
    matrix=128,
    rounds=1,
)


@dataclass(frozen=True)
class PreparedNetwork:
    """A network with one objective, on its device."""

    name: str
    mix: Mix
    network: Network
    sampling_grid: SamplingGrid
    precision: ResolvedPrecision
    device: torch.device

    def noise(self, size: Size) -> Tensor:
        """A canvas (height, width, 3) of noise, so that no two units tie."""
        torch.manual_seed(0)
        values = torch.randn(*size, 3, dtype=torch.float64)
        return values.to(self.device, dtypes(self.precision).canvas)


def prepare(
    name: str, layer: str, precision: ResolvedPrecision, device: torch.device
) -> PreparedNetwork:
    """Load a seeded network, truncated after the layer."""
    seen = layer_grid(seeded(name), name, (layer,))
    network = prepare_network(seeded(name), (layer,), dtypes(precision).network, device)
    sampling_grid = SamplingGrid(seen.stride, seen.field, _JITTER)
    return PreparedNetwork(
        name, Mix((Objective(layer),)), network, sampling_grid, precision, device
    )


def whole(one: PreparedNetwork, size: Size) -> Tensor:
    """The gradient of the whole picture at once, as a reference."""
    found = picture_gradients(
        one.network, one.mix.terms, _PLAIN, one.noise(size), one.sampling_grid, _SHIFT
    )
    return found[0]


def tiled(one: PreparedNetwork, size: Size, tile: int) -> Tensor:
    """The gradient of the picture, tile by tile."""
    canvas, grid = one.noise(size), Grid(*size, tile)
    result = torch.empty_like(canvas)
    for index in range(len(grid)):
        core = grid.core(index)
        window = one.sampling_grid.window(core, tile, _SHIFT, size)
        padded = assemble(window, [(grid.whole, canvas)], canvas)
        inside = core.shifted(-window.top, -window.left)
        (result[core.slices()],) = gradients(one.network, one.mix, padded, inside)
    return result


def distance(found: Tensor, wanted: Tensor) -> float:
    """|found - wanted| / |wanted|, in float64."""
    return float((found.double() - wanted.double()).norm() / wanted.double().norm())


def check_exact(workload: Workload, device: torch.device) -> bool:
    """Tiled against whole. In float32 a unit within rounding of zero may flip and change more than
    rounding does; it may not change more than float32 itself changes float64's gradient."""
    print("| network | precision | tiled - whole | float32 - float64, whole | |")
    print("|---|---|---|---|---|")
    good = True
    for name, layer in workload.networks:
        double, single = (prepare(name, layer, p, device) for p in ("float64", "float32"))
        truth, rounded = (whole(one, workload.picture) for one in (double, single))
        own = distance(rounded, truth)
        for one, reference, allowed in (
            (double, truth, 1e-12),
            (single, rounded, max(1e-5, own)),
        ):
            error = distance(tiled(one, workload.picture, workload.tile), reference)
            good &= error <= allowed
            verdict = "exact" if error <= allowed else f"NOT EXACT: over {allowed:.1e}"
            print(f"| {name} {layer} | {one.precision} | {error:.1e} | {own:.1e} | {verdict} |")
    return good


def check_repeatable(workload: Workload, device: torch.device) -> bool:
    """Check that two runs give the same bytes: whole steps, and a max-pool with many ties."""
    good = _pool_is_repeatable(device)
    print(f"| max-pool backward, channels_last, ties | {_verdict(good)} |\n|---|---|")
    for name, layer in workload.networks:
        for precision in _SPEEDS:
            one = prepare(name, layer, precision, device)
            same = torch.equal(whole(one, workload.picture), whole(one, workload.picture))
            good &= same
            print(f"| {name} {layer}, {precision} | {_verdict(same)} |")
    return good


def _verdict(same: bool) -> str:
    return "same bytes" if same else "DIFFERENT BYTES"


def _pool_is_repeatable(device: torch.device) -> bool:
    """Whether two runs agree with each other, and with torch's gradient in float64 on the CPU."""
    torch.manual_seed(0)
    x = torch.randint(0, 4, (2, 32, 61, 67)).double()
    y = functional.max_pool2d(x, 3, 2, 1, ceil_mode=True)
    grad = torch.randn_like(y)
    ours = DeterministicMaxPool2d((3, 3), (2, 2), (1, 1), ceil_mode=True)

    def backward(pool: Callable[[Tensor], Tensor], where: torch.device) -> Tensor:
        pixels = x.to(where, memory_format=torch.channels_last).requires_grad_()
        pooled = pool(pixels)
        (gradient,) = torch.autograd.grad(pooled, pixels, grad.to(where))
        return gradient.cpu()

    first, second = backward(ours, device), backward(ours, device)
    native = backward(
        lambda pixels: functional.max_pool2d(pixels, 3, 2, 1, ceil_mode=True), torch.device("cpu")
    )
    return torch.equal(first, second) and distance(first, native) < 1e-12


def seconds(work: Callable[[], object], rounds: int, device: torch.device) -> float:
    """The mean seconds of a run, after one to warm up, with an empty device queue at both ends."""
    work()
    _wait(device)
    begun = time.perf_counter()
    for _ in range(rounds):
        work()
    _wait(device)
    return (time.perf_counter() - begun) / rounds


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def matrix_rate(precision: ResolvedPrecision, workload: Workload, device: torch.device) -> float:
    """Floating point operations a second in a large matrix product."""
    side = workload.matrix
    a, b = (
        torch.randn(side, side, device=device, dtype=dtypes(precision).network) for _ in range(2)
    )
    return 2 * side**3 / seconds(lambda: a @ b, 4 * workload.rounds, device)


def measure_speed(workload: Workload, device: torch.device) -> None:
    """Print megapixel-steps of core a second, by network, precision and tile size."""
    rates = {precision: matrix_rate(precision, workload, device) for precision in _SPEEDS}
    for precision, rate in rates.items():
        print(f"Matrix products in {precision}: {rate / 1e12:.3g} TFLOP/s  ")
    print("\n| network | precision | tile | window | megapixel-steps/s | memory, GiB | share |")
    print("|---|---|---|---|---|---|---|")
    for name, layer in workload.networks:
        for precision in _SPEEDS:
            one = prepare(name, layer, precision, device)
            grid = layer_grid(seeded(name), name, (layer,))
            flops = window_cost(
                build_network(name), one.mix, dtypes(precision).network, grid
            ).flops_per_pixel
            for tile in workload.tiles:
                print(
                    f"| {name} {layer} | {precision} | {_row(one, tile, flops, rates, workload)} |"
                )


def _row(
    one: PreparedNetwork,
    tile: int,
    flops: float,
    rates: dict[ResolvedPrecision, float],
    workload: Workload,
) -> str:
    """Tile, window, speed, memory, and the share of the rate of a matrix product."""
    side = one.sampling_grid.window_side(tile)
    window = one.noise((side, side))
    inside = Rect(0, 0, tile, tile).shifted(one.sampling_grid.halo, one.sampling_grid.halo)
    on_gpu = one.device.type == "cuda"
    if on_gpu:
        torch.cuda.reset_peak_memory_stats(one.device)
    try:
        took = seconds(
            lambda: gradients(one.network, one.mix, window, inside), workload.rounds, one.device
        )
    except torch.OutOfMemoryError:
        return f"{tile} | {side} | out of memory | |"
    memory = f"{torch.cuda.max_memory_allocated(one.device) / 2**30:.2f}" if on_gpu else ""
    share = flops * side**2 / took / rates[one.precision]
    return f"{tile} | {side} | {tile**2 / 1e6 / took:.3g} | {memory} | {share:.0%}"


def main() -> None:
    """Check, measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda", type=torch.device)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    # Before CUDA starts, because it reads these settings once.
    make_deterministic()
    workload, device = (_QUICK if options.quick else _FULL), options.device
    model = torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
    print(f"{model}, torch {torch.__version__}\n")
    good = check_exact(workload, device)
    print()
    good &= check_repeatable(workload, device)
    print()
    measure_speed(workload, device)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
