"""The one door to libvips, imported on first use so that `import render` stays cheap."""

from typing import Any

MAX_THREADS = 4
"""Encoders gain nothing beyond; each thread holds strips of the picture's whole width."""


def libvips() -> Any:
    """The pyvips module, set to hold no finished work and few threads.

    VIPS_CONCURRENCY may ask for fewer threads. Output bytes do not depend on their number.
    """
    import pyvips

    pyvips.cache_set_max(0)
    native = pyvips.vips_lib
    native.vips_concurrency_set(min(native.vips_concurrency_get(), MAX_THREADS))
    return pyvips


def reason(error: Exception) -> str:
    """The first line of what libvips says, without repeats, for the middle of a sentence."""
    detail = str(getattr(error, "detail", "")) or str(error)
    lines = [line.strip() for line in detail.splitlines() if line.strip()]
    return lines[0] if lines else "no reason given"
