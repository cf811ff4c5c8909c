"""Which devices this process may compute on, known without loading torch where there are none."""

import os
import platform
from pathlib import Path
from typing import Literal

from render.errors import DeviceError

Device = Literal["cpu", "cuda"]


_DRIVER = Path("/proc/driver/nvidia/gpus")


def installed_gpus() -> int:
    """How many NVIDIA GPUs this machine's driver has, usable by this process or not."""
    return sum(1 for _ in _DRIVER.iterdir()) if _DRIVER.is_dir() else 0


def gpu_count() -> int:
    """How many CUDA GPUs this process sees."""
    if not _DRIVER.is_dir() or os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return 0
    import torch

    return torch.cuda.device_count()


def gpu_memory() -> int:
    """Bytes of memory of the first GPU; 0 where there is none."""
    if not gpu_count():
        return 0
    import torch

    return int(torch.cuda.get_device_properties(0).total_memory)


def peak_gpu_memory(device: Device) -> int:
    """Bytes of the GPU's memory that this process has taken at the most; 0 on CPUs."""
    if device == "cpu":
        return 0
    import torch

    return int(torch.cuda.max_memory_reserved())


def device_name(device: Device) -> str:
    """The GPU's model, or the CPU's with its instruction set: what bytes may depend on."""
    import torch

    if device == "cuda":
        return torch.cuda.get_device_name()
    return f"{_cpu_model()}, {torch.backends.cpu.get_cpu_capability()}"


def device_kind(device: Device) -> str:
    """What a device's bytes depend on: the GPU's model, or the CPU's instruction set."""
    import torch

    if device == "cuda":
        return torch.cuda.get_device_name()
    return f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}"


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


Precision = Literal["auto", "float32", "float64", "bfloat16"]

ResolvedPrecision = Literal["float32", "float64", "bfloat16"]


def resolve_precision(precision: Precision, *, has_gpu: bool) -> ResolvedPrecision:
    """What `auto` means: bfloat16 on GPUs, float32 on CPUs.

    DeviceError for bfloat16 without a GPU: emulated, it is slower than float32 and no smaller.
    """
    if precision == "auto":
        return "bfloat16" if has_gpu else "float32"
    if precision == "bfloat16" and not has_gpu:
        raise DeviceError(
            "precision bfloat16: needs a CUDA GPU, and this crew has none; use float32, or auto"
        )
    return precision
