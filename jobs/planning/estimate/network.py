"""How bytes get from worker to worker, and to the store."""

from collections.abc import Sequence
from dataclasses import dataclass

from render.geometry.grid import Grid
from render.geometry.halo import fragments
from render.geometry.partition import Block
from render.geometry.sampling_grid import Lattice

_COPYING = 0.9e9
"""Bytes a second from an actor into another one of the same machine, by Ray's store. Measured."""


_USABLE = 0.8
"""The share of a network's nominal rate that Ray's transfers reach. Assumed."""


_FRAGMENT = 1.2e-3
"""Seconds for each fragment that is asked for, however small. Measured, as a call of an actor."""


@dataclass(frozen=True)
class Link:
    """The way between workers, and the one to the store.

    gbps: nominal, 10^9 bits a second and worker; None where all are on one machine. storing: bytes
    a second that a worker writes into the store.
    """

    gbps: float | None
    storing: float

    def seconds(self, taken: int, fragments: int) -> float:
        """For a worker to get so many bytes in so many fragments; 0 where it gets none."""
        wire = taken / (self.gbps * 1e9 / 8 * _USABLE) if self.gbps else 0.0
        return taken / _COPYING + wire + fragments * _FRAGMENT


ONE_MACHINE = Link(gbps=None, storing=500e6)
"""The store is a folder. Measured."""


USUAL_GBPS = 10.0
"""What is assumed of a cluster of which nobody says how fast its network is."""


def network(gbps: float) -> Link:
    """Several machines, whose store is a bucket: a radosgw took 120 MB/s (tests/bench/transfer)."""
    return Link(gbps, storing=120e6)


_CHANNELS = 3


@dataclass(frozen=True)
class Traffic:
    """Bytes that all members take from each other at a step; of the one that takes most, its bytes
    and in how many fragments it takes them."""

    total: int
    most: int
    fragments: int


def traffic(grid: Grid, lattice: Lattice, blocks: Sequence[Block], value_bytes: int) -> Traffic:
    """The halos of a crew whose members hold `blocks`, of `value_bytes` a channel."""
    taken: list[list[int]] = [[] for _ in blocks]
    for gives in fragments(grid, lattice, blocks):
        for taker, rect in gives.items():
            taken[taker].append(rect.area * _CHANNELS * value_bytes)
    most = max(taken, key=sum)
    return Traffic(sum(map(sum, taken)), sum(most), len(most))
