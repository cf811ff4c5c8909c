"""The numbers that are computed with, and the settings that make them the same every time."""

import os
from dataclasses import dataclass

import torch

from render.precision import Resolved


@dataclass(frozen=True)
class Arithmetic:
    """`canvas` is what pictures and sums are kept in, `network` what the network computes in."""

    canvas: torch.dtype
    network: torch.dtype


def arithmetic(precision: Resolved) -> Arithmetic:
    """The types of a resolved precision. The canvas is never narrower than float32."""
    if precision == "float64":
        return Arithmetic(torch.float64, torch.float64)
    if precision == "bfloat16":
        return Arithmetic(torch.float32, torch.bfloat16)
    return Arithmetic(torch.float32, torch.float32)


def make_repeatable() -> None:
    """Have this process compute the same bits from the same tiles every time.

    One thread on the CPU: how a sum is split over threads decides its last bit. On CUDA, kernels
    without atomics, chosen by shape and not by timing, and no TF32 in what is called float32.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    # Determinism also fills new tensors, against reads of what was never written; none happen here.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
