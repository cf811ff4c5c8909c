"""What there is to compute with."""

from jobs.doctor.finding import Finding, failed, ok, size, warning
from jobs.machine import Machine

_EACH = 1.5 * 2**30
"""Bytes of memory a core, under which fewer workers than cores do better."""


def devices(machine: Machine, fitted: int) -> list[Finding]:
    """fitted: the NVIDIA GPUs that the driver has, which torch need not be able to use."""
    return [_cores(machine), _gpus(machine, fitted)]


def _cores(machine: Machine) -> Finding:
    found = f"{machine.cores} cores, {size(machine.memory)} of memory"
    if machine.memory < machine.cores * _EACH:
        few = max(1, int(machine.memory / _EACH))
        return warning("cores", found, f"render with --workers {few}: each takes up to 1.5 GiB")
    return ok("cores", found)


def _gpus(machine: Machine, fitted: int) -> Finding:
    if machine.gpus:
        found = f"{machine.gpus} with {size(machine.gpu_memory)} each"
        if machine.gpus < fitted:
            return warning(
                "GPUs", f"{found}, of {fitted}", "CUDA_VISIBLE_DEVICES hides the others: unset it"
            )
        return ok("GPUs", found)
    if fitted:
        return failed(
            "GPUs",
            f"this machine has {fitted}, and torch can use none",
            "unset CUDA_VISIBLE_DEVICES, or bring NVIDIA's driver up to what this torch was built "
            'for: python -c "import torch; torch.cuda.init()" says more',
        )
    return ok("GPUs", "none: dreams on CPUs")
