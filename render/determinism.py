"""The dtypes of a precision, and the settings that make results reproducible bit by bit."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from render.device import ResolvedPrecision


@dataclass(frozen=True)
class Dtypes:
    """`canvas` is the dtype of pictures and sums, `network` that of the network."""

    canvas: torch.dtype
    network: torch.dtype


def dtypes(precision: ResolvedPrecision) -> Dtypes:
    """The dtypes of a precision. The canvas is never narrower than float32."""
    if precision == "float64":
        return Dtypes(torch.float64, torch.float64)
    if precision == "bfloat16":
        return Dtypes(torch.float32, torch.bfloat16)
    return Dtypes(torch.float32, torch.float32)


def make_deterministic() -> None:
    """Make this process compute the same bits from the same tiles every time.

    On the CPU it uses one thread, because the split of a sum over threads decides its last bit;
    `use_threads` allows more. On CUDA it uses kernels without atomics, chosen by shape and not by
    timing, and no TF32.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(1)
    # `use_deterministic_algorithms` would also load torch's compiler, which takes a second.
    torch.set_deterministic_debug_mode("error")
    # The deterministic mode also fills new tensors, against reads of unwritten memory. The engine
    # has no such reads.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False


def use_threads(count: int) -> None:
    """Compute with `count` threads, on any number of cores.

    The count is part of the arithmetic: it comes from the plan (`RenderSetup.threads`). Without
    oneDNN it stays one thread, because MKL splits its sums by the cores of the machine. Does
    nothing if `make_deterministic` was not called: then the threads are the caller's.
    """
    if not torch.are_deterministic_algorithms_enabled():
        return
    has_onednn = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    torch.set_num_threads(count if has_onednn else 1)


@contextmanager
def deterministic_mode() -> Iterator[None]:
    """Within the block torch is set up by `make_deterministic`; afterwards as it was before."""
    mode: Any = torch.utils.deterministic
    threads, fills = torch.get_num_threads(), mode.fill_uninitialized_memory
    algorithms = torch.get_deterministic_debug_mode()
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    flags = cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32, matmul.allow_tf32
    make_deterministic()
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_deterministic_debug_mode(algorithms)
        mode.fill_uninitialized_memory = fills
        cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32, matmul.allow_tf32 = flags


# From glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3

_MAX_INT = 2**31 - 1  # mallopt takes a C int

_GIBIBYTE, _MEBIBYTE = 1 << 30, 1 << 20


def keep_freed_memory() -> None:
    """Make this process reuse freed memory instead of returning it to the system.

    By default glibc maps each tensor above 32 MiB anew, and the kernel fills it with zeros, page by
    page, at every step. This takes a sixth of a worker's CPU time at tiles of 512 pixels. The price
    of reuse: over the octaves the process grows to more than twice the memory in use, because
    windows have different sizes.
    """
    _set_malloc_thresholds(trim=_MAX_INT, mmap=_GIBIBYTE)


def return_freed_memory() -> None:
    """Make this process return every freed tensor of a MiB or more to the system.

    Slower than `keep_freed_memory`, but the peak is the memory in use.
    """
    _set_malloc_thresholds(trim=_MEBIBYTE, mmap=_MEBIBYTE)


def _set_malloc_thresholds(*, trim: int, mmap: int) -> None:
    """Without glibc this does nothing."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_M_TRIM_THRESHOLD, trim)
        libc.mallopt(_M_MMAP_THRESHOLD, mmap)
