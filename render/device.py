"""Which devices this process may compute on, known without loading torch where there are none."""

import os
from pathlib import Path

_DRIVER = Path("/proc/driver/nvidia/gpus")


def gpu_count() -> int:
    """How many CUDA GPUs this process sees."""
    if not _DRIVER.is_dir() or os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return 0
    import torch

    return torch.cuda.device_count()


def device_name() -> str:
    """The GPU's model, or the CPU's instruction set, on which pixels may depend."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"CPU {torch.backends.cpu.get_cpu_capability()}"
