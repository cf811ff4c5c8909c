"""A picture as a stream of bands, and the threads that encode its parts in a fixed order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

T = TypeVar("T")


@dataclass(frozen=True)
class BandStream:
    """A picture that is read once, from top to bottom.

    bands: (h, width, channels) arrays of uint8 (depth 8) or uint16 (depth 16), with any heights.
    channels: 3 for sRGB, 4 for CMYK.
    """

    height: int
    width: int
    depth: int
    bands: Iterable[np.ndarray]
    channels: int = 3

    def blocks(self, rows: int) -> Iterator[np.ndarray]:
        """Yield the picture as blocks of exactly `rows` rows; the last one may be shorter.

        Each block is an array of its own, so a thread may keep it.

        Raises ValueError if the bands do not match the picture, and whatever they raise.
        """
        top, filled = 0, 0
        block = self._empty(top, rows)
        for band in self.bands:
            self._check(band, top + filled)
            used = 0
            while used < len(band):
                taken = min(len(band) - used, len(block) - filled)
                block[filled : filled + taken] = band[used : used + taken]
                used, filled = used + taken, filled + taken
                if filled == len(block):
                    yield block
                    top, filled = top + filled, 0
                    block = self._empty(top, rows)
        if top + filled != self.height:
            raise ValueError(f"the bands end after {top + filled} of {self.height} rows")

    def _empty(self, top: int, rows: int) -> np.ndarray:
        shape = (min(rows, self.height - top), self.width, self.channels)
        return np.empty(shape, np.uint8 if self.depth == 8 else np.uint16)

    def _check(self, band: np.ndarray, top: int) -> None:
        if band.dtype != f"u{self.depth // 8}" or band.shape[1:] != (self.width, self.channels):
            raise ValueError(
                f"band at row {top}: {band.dtype} {band.shape} is not (h, {self.width},"
                f" {self.channels}) of {self.depth} bits"
            )
        if top + len(band) > self.height:
            raise ValueError(f"the bands hold more than the picture's {self.height} rows")


class Encoders:
    """Threads that run calls, and return their results in the order of the calls."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, "encode")
        self._most = threads + 1

    def ordered(self, calls: Iterable[Callable[[], T]]) -> Iterator[T]:
        """Yield the results of the calls in their order.

        `calls` is read in the caller's thread. At most one call more than there are threads waits
        or has a result that nobody has taken, which bounds the memory. No call runs afterwards, so
        after an error the caller can remove what the calls have made.
        """
        waiting: deque[Future[T]] = deque()
        try:
            for call in calls:
                waiting.append(self._pool.submit(call))
                if len(waiting) > self._most:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            wait([one for one in waiting if not one.cancel()])

    def close(self) -> None:
        """Wait for the running calls, and end the threads."""
        self._pool.shutdown(cancel_futures=True)


@contextmanager
def encoders(threads: int) -> Iterator[Encoders]:
    """Start that many threads, and end them at the end of the block."""
    started = Encoders(threads)
    try:
        yield started
    finally:
        started.close()
