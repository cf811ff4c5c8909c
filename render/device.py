"""The devices of this process, and the precisions they have. Without a GPU, torch is not loaded."""

import os
import platform
from pathlib import Path
from typing import Literal

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
    """What decides a device's rounding: the GPU's model, or the CPU's instruction set.

    oneDNN sums bfloat16 in another order with other instructions, so they belong to it. So does a
    limit of oneDNN's instructions that the environment sets, which also changes float32.
    """
    import torch

    if device == "cuda":
        return torch.cuda.get_device_name()
    capability = torch.backends.cpu.get_cpu_capability()
    limit = _isa_limit()
    limits = [f"up to {limit}"] if limit else []
    return " ".join((platform.machine(), capability, *_narrow_instructions(), *limits))


def _cpu_model() -> str:
    return _cpu_field("model name") or platform.processor() or platform.machine()


_CPU_INFO = Path("/proc/cpuinfo")


def _cpu_field(name: str) -> str:
    """A field of the first CPU in Linux's list; empty without one."""
    try:
        lines = _CPU_INFO.read_text().splitlines()
    except OSError:
        return ""
    found = (line.partition(":")[2].strip() for line in lines if line.startswith(name))
    return next(found, "")


Precision = Literal["auto", "float32", "float64", "bfloat16"]

ResolvedPrecision = Literal["float32", "float64", "bfloat16"]


def resolve_precision(precision: Precision, *, has_gpu: bool) -> ResolvedPrecision:
    """The precision, with `auto` resolved to bfloat16 where the device computes it faster.

    That is on GPUs, and on CPUs with `has_fast_bfloat16`. Other CPUs emulate it, so there `auto` is
    float32.
    """
    if precision == "auto":
        return "bfloat16" if has_gpu or has_fast_bfloat16() else "float32"
    return precision


def has_fast_bfloat16() -> bool:
    """Whether this machine's CPU has instructions for bfloat16, and oneDNN may use them.

    A step takes half of float32's time with AVX-512's instructions, and less with AMX.
    """
    return bool(_narrow_instructions())


_BFLOAT16 = ("amx_bf16", "avx512_bf16")

# oneDNN's own setting. It reads the second name only without the first.
_ISA_SETTINGS = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")
_NO_LIMIT = ("", "ALL", "DEFAULT")


def _isa_limit() -> str:
    """The limit of oneDNN's instruction sets that the environment sets; empty for none."""
    values = (os.environ.get(name, "").upper() for name in _ISA_SETTINGS)
    limit = next(filter(None, values), "")
    return "" if limit in _NO_LIMIT else limit


def _narrow_instructions() -> tuple[str, ...]:
    """The CPU's instruction sets for bfloat16 that oneDNN may use."""
    limit = _isa_limit()
    allowed: tuple[str, ...] = _BFLOAT16
    if limit and "AMX" not in limit:
        # Sets of AVX-512 for 16 bits, in oneDNN's order: BF16, then FP16.
        allowed = ("avx512_bf16",) if limit.endswith(("BF16", "FP16")) else ()
    flags = _cpu_field("flags").split()
    return tuple(name for name in allowed if name in flags)
