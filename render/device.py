"""The devices of this process, and the precisions they have. Without a GPU, torch is not loaded."""

import os
import platform
from pathlib import Path
from typing import Literal

from render.errors import DeviceError

Device = Literal["cpu", "cuda"]


_DRIVER = Path("/proc/driver/nvidia/gpus")


def installed_gpus() -> int:
    """The number of NVIDIA GPUs of this machine's driver, visible to this process or not."""
    return sum(1 for _ in _DRIVER.iterdir()) if _DRIVER.is_dir() else 0


def gpu_count() -> int:
    """The number of CUDA GPUs that this process sees."""
    if not _DRIVER.is_dir() or os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return 0
    import torch

    return torch.cuda.device_count()


def gpu_memory() -> int:
    """The bytes of memory of the first GPU; 0 without a GPU."""
    if not gpu_count():
        return 0
    import torch

    return int(torch.cuda.get_device_properties(0).total_memory)


def peak_gpu_memory(device: Device) -> int:
    """The peak of this process's GPU memory in bytes; 0 on CPUs."""
    if device == "cpu":
        return 0
    import torch

    return int(torch.cuda.max_memory_reserved())


def device_name(device: Device) -> str:
    """The GPU's model, or the CPU's model with its instruction set."""
    import torch

    if device == "cuda":
        return torch.cuda.get_device_name()
    return f"{_cpu_model()}, {torch.backends.cpu.get_cpu_capability()}"


def device_kind(device: Device) -> str:
    """What decides a device's rounding: the GPU's model, or the CPU's instruction set."""
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
    """The precision, with `auto` resolved to bfloat16 on GPUs and float32 on CPUs.

    Raises DeviceError for bfloat16 without a GPU: CPUs emulate it, slower than float32.
    """
    if precision == "auto":
        return "bfloat16" if has_gpu else "float32"
    if precision == "bfloat16" and not has_gpu:
        raise DeviceError(
            "precision bfloat16: needs a CUDA GPU, and there is none; use float32, or auto"
        )
    return precision
