"""The memory of processes over time, and whether it grows."""

import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

import psutil

TOLERANCE_BYTES = 24 << 20
TOLERANCE = 0.1
"""Memory is flat if its growth over a life is below both the larger of these: bytes, and the
fraction of the first reading. Growth is the slope of a line through all readings, times the time.
"""

_WARM_SECONDS = 60.0
"""Readings from the start of a process that do not count: imports, pools, caches."""

_FEWEST = 10
"""Readings. A shorter life says nothing."""


@dataclass
class Life:
    """The readings of one process: seconds since its first reading, and bytes."""

    name: str
    seconds: list[float] = field(default_factory=list)
    bytes: list[int] = field(default_factory=list)

    @property
    def warm(self) -> tuple[list[float], list[int]]:
        """The readings that count."""
        kept = [pair for pair in zip(self.seconds, self.bytes, strict=True) if _is_warm(pair[0])]
        return [at for at, _ in kept], [size for _, size in kept]

    @property
    def growth(self) -> float | None:
        """Bytes by which it grew over its life; None if the life was too short."""
        seconds, sizes = self.warm
        if len(seconds) < _FEWEST:
            return None
        slope = statistics.linear_regression(seconds, sizes).slope
        return float(slope * (seconds[-1] - seconds[0]))

    @property
    def is_flat(self) -> bool:
        """Whether it grew by less than the tolerance. A short life counts as flat."""
        growth = self.growth
        return growth is None or growth <= max(TOLERANCE_BYTES, TOLERANCE * self.warm[1][0])

    def text(self) -> str:
        """One line for the summary."""
        growth = self.growth
        grown = "too short to tell" if growth is None else f"grew by {growth / 1e6:+.1f} MB"
        span = self.seconds[-1] if self.seconds else 0.0
        largest = max(self.bytes, default=0) / 1e6
        flat = "flat" if self.is_flat else "NOT FLAT"
        return f"{self.name}: {span:.0f} s, at most {largest:.0f} MB, {grown}: {flat}"


def _is_warm(second: float) -> bool:
    return second >= _WARM_SECONDS


class Memory:
    """Reads the memory of processes; each process has a life of its own."""

    def __init__(self) -> None:
        self._lives: dict[tuple[str, int], Life] = {}
        self._begun: dict[tuple[str, int], float] = {}

    def read(self, processes: Iterable[tuple[str, int | None]]) -> None:
        """Read the resident memory of each process, by name and id."""
        for name, pid in processes:
            if pid is None:
                continue
            try:
                size = psutil.Process(pid).memory_info().rss
            except psutil.NoSuchProcess:
                continue
            now = time.monotonic()
            begun = self._begun.setdefault((name, pid), now)
            life = self._lives.setdefault((name, pid), Life(name))
            life.seconds.append(now - begun)
            life.bytes.append(size)

    def longest(self) -> list[Life]:
        """The longest life of each name."""
        best: dict[str, Life] = {}
        for life in self._lives.values():
            if life.name not in best or life.seconds[-1] > best[life.name].seconds[-1]:
                best[life.name] = life
        return list(best.values())

    def growing(self) -> list[Life]:
        """All lives that are not flat."""
        return [life for life in self._lives.values() if not life.is_flat]
