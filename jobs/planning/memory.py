"""How much memory a worker needs, and whether its shard has to live on disk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from jobs.text.errors import TooSmall
from render.device import Resolved
from render.engine.memory import Cost
from render.geometry.grid import Grid
from render.geometry.partition import Block
from render.geometry.sampling_grid import Lattice

WORKER_BYTES = 440 << 20
"""A worker before it holds a picture: Python, torch, Ray. Measured, private memory only."""


FRUGAL_SHARE, KEPT_SHARE = 1.1, 3.0
"""What a worker holds for what a window uses: given back at once, or kept for speed. Measured."""


_ENCODER_BYTES, _ENCODER_COLUMN = 200 << 20, 10 << 10
"""What encoding one output holds: bands on their way, and strips of the picture's whole width, by
its pixels. Measured with noise, at the most of all formats."""


VALUE_BYTES: Mapping[Resolved, int] = MappingProxyType({"float32": 4, "float64": 8, "bfloat16": 4})
"""A channel of the canvas. With bfloat16 only the network computes in it."""


_CHANNELS = 3


@dataclass(frozen=True)
class Memory:
    """Bytes of private memory of the busiest worker at its peak, and where its tiles live.

    `in_memory` and `on_disk` are the peaks of the two ways; `limit` is what a worker may take;
    `lent` is what its neighbours lend it at each step. `is_limited` where the user set the limit:
    then workers give memory back at once rather than keep it for speed.
    """

    in_memory: int
    on_disk: int
    limit: int
    lent: int
    is_limited: bool

    @property
    def spills(self) -> bool:
        """Whether tiles have to live in files."""
        return self.in_memory > self.limit

    @property
    def needed(self) -> int:
        """The peak of the way that will be taken."""
        return self.on_disk if self.spills else self.in_memory

    @property
    def is_frugal(self) -> bool:
        """Whether a worker already holds as little as it can."""
        return self.is_limited and self.limit <= self.on_disk

    def frugal(self) -> "Memory":
        """The same with one tile at a time in memory, and freed memory given back at once."""
        return replace(self, limit=min(self.limit, self.on_disk), is_limited=True)

    def check(self, tile: int) -> None:
        """TooSmall where it cannot be done at all with tiles of that side."""
        if self.needed > self.limit:
            raise TooSmall(
                f"crew.memory_per_worker: a worker needs {self.needed / 2**30:.2f} GiB for "
                f"tiles of {tile} pixels and may take {self.limit / 2**30:.2f} GiB; "
                "choose a smaller tiles.size, fewer workers, or a higher crew.memory_per_worker"
            )


def encoding_memory(width: int, outputs: int) -> int:
    """Bytes of private memory of a process that encodes so many outputs at once."""
    return WORKER_BYTES + outputs * (_ENCODER_BYTES + width * _ENCODER_COLUMN)


def worker_memory(
    grid: Grid,
    lattice: Lattice,
    cost: Cost,
    kept: float,
    value_bytes: int,
    blocks: Sequence[Block],
    limit: int,
    is_limited: bool,
) -> Memory:
    """The highest peak of workers that hold `blocks`, in the octave that `grid` is of.

    Each tile has its canvas and what it keeps until the update, `kept` times as much, of
    `value_bytes` a channel; what neighbours lend comes on top of both ways, and so does one window.
    """
    window = lattice.largest(grid.tile, (grid.height, grid.width))
    cores = [core for core in (block.pixels(grid) for block in blocks) if core.area]
    around = [lattice.cover(one, grid.tile).intersect(grid.whole).area - one.area for one in cores]
    pixel = _CHANNELS * value_bytes
    share = FRUGAL_SHARE if is_limited else KEPT_SHARE
    base = WORKER_BYTES + int(cost.bytes(window) * share)
    tile = int(grid.tile**2 * pixel * (1 + kept))
    # The lent pixels are held twice: as they arrived, and as those made for the neighbours.
    lent = [pixel * pixels for pixels in around]
    held = max(
        int(core.area * pixel * (1 + kept)) + 2 * more
        for core, more in zip(cores, lent, strict=True)
    )
    return Memory(base + held, base + tile + 2 * max(lent), limit, max(lent), is_limited)
