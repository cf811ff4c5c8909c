"""Access to libvips: the lazy import, and its error messages."""

import functools
import re
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

MAX_THREADS = 4
"""Decoders gain nothing from more, and each thread holds strips of the picture's full width."""


def libvips() -> Any:
    """Import pyvips on first use, without its operation cache and with at most MAX_THREADS.

    VIPS_CONCURRENCY can lower the number of threads. Output bytes do not depend on it.
    """
    import pyvips

    pyvips.cache_set_max(0)
    native = pyvips.vips_lib
    native.vips_concurrency_set(min(native.vips_concurrency_get(), MAX_THREADS))
    return pyvips


_ALONE = threading.Lock()


@contextmanager
def one_thread() -> Iterator[None]:
    """Let libvips use one thread in this block: the bytes of some encoders depend on the number."""
    native = libvips().vips_lib
    with _ALONE:
        before = native.vips_concurrency_get()
        native.vips_concurrency_set(1)
        try:
            yield
        finally:
            native.vips_concurrency_set(before)


def error_reason(error: Exception) -> str:
    """Return the first line of a libvips error, for use within a sentence."""
    detail = str(getattr(error, "detail", "")) or str(error)
    lines = [line.strip() for line in detail.splitlines() if line.strip()]
    return lines[0] if lines else "no reason given"


@functools.cache
def can_decompress(compression: int) -> bool:
    """Whether this build of libtiff decodes a compression, given by its number in TIFF tag 259.

    The answer comes from a try, with a picture of one pixel. The tag is a SHORT, so no method has
    a larger number.
    """
    if compression >= 2**16:
        return False
    entries = ((256, 1), (257, 1), (258, 8), (259, compression), (262, 1), (273, 8), (279, 8))
    directory = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
    content = b"II*\0" + struct.pack("<IH", 8, len(entries)) + directory + bytes(4)
    vips = libvips()
    try:
        vips.Image.tiffload_buffer(content, fail_on="error").avg()
    except vips.Error as error:
        return not is_unsupported(error)
    return True


WHOLE_SAVERS = {
    "webp": ("webpsave_buffer", {}),
    # As small and as good as with more effort, in a tenth of the time. Measured.
    "avif": ("heifsave_buffer", {"compression": "av1", "effort": 2}),
    "jxl": ("jxlsave_buffer", {}),
}
"""The operation and the fixed options that write a format as a whole."""


@functools.cache
def can_encode(format_name: str) -> bool:
    """Whether this build of libvips writes a format of WHOLE_SAVERS. The answer comes from a try.

    An operation may exist and lack its encoder.
    """
    operation, options = WHOLE_SAVERS[format_name]
    vips = libvips()
    try:
        getattr(vips.Image.black(16, 16, bands=3), operation)(**options)
    except (vips.Error, AttributeError):  # AttributeError: no such operation
        return False
    return True


def is_unsupported(error: Exception) -> bool:
    """Whether a libvips error says that the file is of a kind that this build does not read."""
    return _UNSUPPORTED.search(str(getattr(error, "detail", error))) is not None


_UNSUPPORTED = re.compile(
    r"unsupported (jpeg|compression|codec|feature|color)|not (been )?(configured|implemented)"
    r"|not (been )?built|not supported",
    re.IGNORECASE,
)
