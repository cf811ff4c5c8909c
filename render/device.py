"""Which devices this process may compute on, known without loading torch where there are none."""

import os
import platform
from pathlib import Path
from typing import Literal

Device = Literal["cpu", "cuda"]

_DRIVER = Path("/proc/driver/nvidia/gpus")


def gpus_fitted() -> int:
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


def memory_taken(device: Device) -> int:
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
