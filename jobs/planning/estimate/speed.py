"""The speed of a worker, and the data sheets and prices of devices that it may have."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from jobs.planning.octave import WorkerLoad
from jobs.text.errors import RequestError
from render.device import ResolvedPrecision
from render.engine.memory import Cost
from render.errors import suggest

_GIGA, _TERA = 10**9, 10**12


@dataclass(frozen=True)
class DeviceSpecs:
    """The data sheet of a GPU, or of one core of a CPU.

    rates: dense operations a second, by precision. bandwidth: bytes a second to and from its
    memory. memory: bytes; 0 for a core, which shares the machine's memory. price: US dollars an
    hour, on demand. utilization: the share of the rate that convolutions reach.
    """

    name: str
    rates: Mapping[ResolvedPrecision, float]
    bandwidth: float
    memory: int
    price: float
    utilization: float


def _gpu_specs(
    name: str,
    bfloat16: float,
    float32: float,
    float64: float,
    bandwidth: float,
    memory: int,
    price: float,
) -> DeviceSpecs:
    """Rates in 10^12 operations a second, bandwidth in 10^12 bytes, memory in 10^9 bytes."""
    rates: dict[ResolvedPrecision, float] = {
        "bfloat16": bfloat16 * _TERA,
        "float32": float32 * _TERA,
        "float64": float64 * _TERA,
    }
    return DeviceSpecs(name, rates, bandwidth * _TERA, memory * _GIGA, price, _GPU_UTILIZATION)


PRICE_SOURCE = "AWS on demand, us-east-1, November 2026"
"""A GPU's share of p6-b200.48xlarge, p5en.48xlarge, p5.48xlarge, p4de.24xlarge, g6e.xlarge and
g6.xlarge; a core's share of c7i.large. `--price` overrides it."""


_GPU_UTILIZATION = 0.5
"""Assumed: no GPU has been measured yet."""


CPU = DeviceSpecs(
    name="cpu",
    rates={"float32": 58 * _GIGA, "float64": 29 * _GIGA},
    bandwidth=10 * _GIGA,
    memory=0,
    price=0.045,
    utilization=0.8,
)
"""A core of an AMD EPYC (AVX2). Rate, bandwidth and utilization are measured (tests/bench)."""


GPUS: Mapping[str, DeviceSpecs] = {
    specs.name: specs
    for specs in (
        # name, bfloat16, float32, float64, bandwidth, memory, price
        _gpu_specs("b200", 2250, 75, 37, 7.7, 180, 14.24),
        _gpu_specs("h200", 989, 67, 34, 4.8, 141, 7.91),
        _gpu_specs("h100", 989, 67, 34, 3.35, 80, 6.88),
        _gpu_specs("a100", 312, 19.5, 9.7, 2.04, 80, 3.43),
        _gpu_specs("l40s", 362, 91.6, 1.4, 0.864, 48, 1.86),
        _gpu_specs("l4", 121, 30.3, 0.47, 0.3, 24, 0.80),
    )
}
"""From NVIDIA's data sheets: the SXM version if there are several, without sparsity."""


DEFAULT_GPU = GPUS["l4"]
"""Assumed for a cluster whose machines have not started yet. Our cluster files use it."""


def find_gpu(name: str) -> DeviceSpecs:
    """The GPU of that name, in upper or lower case. Raises RequestError with suggestions."""
    try:
        return GPUS[name.lower()]
    except KeyError:
        raise RequestError(f"--gpu {name}: not known; {suggest(name, GPUS)}") from None


def gpu_in_name(text: str) -> DeviceSpecs | None:
    """The GPU in a device's full name, such as `NVIDIA H100 80GB HBM3`; None if unknown."""
    words = text.lower().replace("-", " ").replace("_", " ").split()
    return next((known for name, known in GPUS.items() if name in words), None)


def hourly_price(specs: DeviceSpecs, gpus: int, cpus: int) -> float:
    """US dollars for one worker and hour. gpus: of the worker; without any, its CPUs count."""
    return specs.price * (gpus or cpus)


_MEMORY_PASSES = 4
"""Passes over the bytes of a window at its peak: written and read, forward and backward."""


_UPDATE_BYTES = 1500
"""Bytes moved for each pixel: its gradient is smoothed twice, then the pixel is updated."""


_LAUNCH_SECONDS = 5e-3
"""Seconds to launch the hundred or so GPU kernels of a window. Assumed."""


@dataclass(frozen=True)
class Speed:
    """Seconds of one worker.

    window: for each window, whatever its size. window_pixel: for each pixel of a window. pixel:
    for each pixel whose gradient is smoothed and applied. origin: where the numbers come from.
    """

    window: float
    window_pixel: float
    pixel: float
    origin: str

    def seconds(self, load: WorkerLoad) -> float:
        """The computing time of one step."""
        return (
            load.tiles * self.window
            + load.window_pixels * self.window_pixel
            + load.gradient_pixels * self.pixel
        )

    def times(self, passes: float) -> "Speed":
        """The speed of steps that each need so many passes of the network."""
        return replace(self, window=self.window * passes, window_pixel=self.window_pixel * passes)


def datasheet_speed(specs: DeviceSpecs, cost: Cost, precision: ResolvedPrecision) -> Speed:
    """The expected speed of a network on a device, without a run.

    The slower of computation and memory decides. cost: of the network.
    """
    computing = cost.flops_per_pixel / (specs.rates[precision] * specs.utilization)
    moving = _MEMORY_PASSES * cost.bytes_per_pixel / specs.bandwidth
    return Speed(
        window=_LAUNCH_SECONDS if specs.memory else 0.0,
        window_pixel=max(computing, moving) if specs.memory else computing,
        pixel=_UPDATE_BYTES / specs.bandwidth,
        origin=f"from the data sheet of {specs.name}",
    )
