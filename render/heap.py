"""How the C library treats the large, short-lived tensors of each window."""

import ctypes

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
