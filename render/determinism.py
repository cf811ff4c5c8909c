"""The numbers that are computed with, and the settings that make them the same every time."""

import ctypes
import os
from dataclasses import dataclass

import torch

from render.device import ResolvedPrecision


@dataclass(frozen=True)
class Dtypes:
    """`canvas` is what pictures and sums are kept in, `network` what the network computes in."""

    canvas: torch.dtype
    network: torch.dtype


def dtypes(precision: ResolvedPrecision) -> Dtypes:
    """The types of a resolved precision. The canvas is never narrower than float32."""
    if precision == "float64":
        return Dtypes(torch.float64, torch.float64)
    if precision == "bfloat16":
        return Dtypes(torch.float32, torch.bfloat16)
    return Dtypes(torch.float32, torch.float32)


def make_deterministic() -> None:
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


_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # from glibc's malloc.h

_MOST = 2**31 - 1  # mallopt takes a C int

_LARGE, _SMALL = 1 << 30, 1 << 20


def keep_freed_memory() -> None:
    """Have this process use freed memory again instead of giving it back to the system.

    By default glibc maps each tensor above 32 MiB afresh, and the kernel then fills it with zeros,
    page by page, at every step: a sixth of a worker's CPU time at tiles of 512 pixels. The price is
    a heap that grows over the octaves to more than twice what is in use, since windows differ.
    """
    _set(_LARGE)


def return_freed_memory() -> None:
    """Have this process give every tensor of a MiB or more back to the system when it is freed.

    Slower by what `keep_freed_memory` gains, but the peak is what is in use, and no more.
    """
    _set(_SMALL)


def _set(mapped_from: int) -> None:
    """Without glibc nothing changes."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_M_TRIM_THRESHOLD, _MOST if mapped_from == _LARGE else _SMALL)
        libc.mallopt(_M_MMAP_THRESHOLD, mapped_from)
