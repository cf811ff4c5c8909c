"""How the C library keeps memory from one step's large, short-lived tensors for the next."""

import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # from glibc's malloc.h
_MOST = 2**31 - 1  # mallopt takes a C int
_LARGE = 1 << 30


def keep_freed_memory() -> None:
    """Have this process use freed memory again instead of giving it back to the system.

    By default glibc maps each tensor above 32 MiB afresh, and the kernel then fills it with zeros,
    page by page, at every step: a sixth of a worker's CPU time (SqueezeNet, tiles of 512 pixels).
    The price is what lies idle between blocks in use: about 100 MB more at the peak there, 16% of
    what the window and the canvas take. Without glibc nothing changes.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_M_TRIM_THRESHOLD, _MOST)
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGE)
