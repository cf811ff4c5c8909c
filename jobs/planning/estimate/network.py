"""Transfer times between workers and to the store, and the halo traffic of a step."""

from collections.abc import Sequence
from dataclasses import dataclass

from render.geometry.grid import Grid
from render.geometry.partition import Block, halo_exchange
from render.geometry.sampling_grid import SamplingGrid

_COPY_BANDWIDTH = 0.9e9
"""Bytes a second between two actors on one machine, through Ray's object store. Measured."""


_NETWORK_EFFICIENCY = 0.8
"""The share of a network's nominal rate that Ray reaches. Assumed."""


_TRANSFER_SECONDS = 1.2e-3
"""Seconds for each transfer, however small. Measured, as a call of an actor."""


@dataclass(frozen=True)
class NetworkModel:
    """The bandwidths between workers, and from a worker to the store.

    gbps: nominal, in 10^9 bits a second for each worker; None if all workers are on one machine.
    store_bandwidth: bytes a second that one worker writes.
    """

    gbps: float | None
    store_bandwidth: float

    def seconds(self, size: int, transfers: int) -> float:
        """The time in which a worker receives `size` bytes in that many transfers."""
        wire = size / (self.gbps * 1e9 / 8 * _NETWORK_EFFICIENCY) if self.gbps else 0.0
        return size / _COPY_BANDWIDTH + wire + transfers * _TRANSFER_SECONDS


ONE_MACHINE = NetworkModel(gbps=None, store_bandwidth=500e6)
"""One machine, and a folder as its store. Measured."""


DEFAULT_GBPS = 10.0
"""Assumed for a cluster without `--network-gbps`."""


def cluster_network(gbps: float) -> NetworkModel:
    """Several machines, and a bucket as their store.

    A Ceph radosgw wrote 120 MB/s (tests/bench/s3_transfer).
    """
    return NetworkModel(gbps, store_bandwidth=120e6)


_CHANNELS = 3


@dataclass(frozen=True)
class HaloTraffic:
    """The bytes that workers receive from their neighbours at a step.

    total_bytes: of all workers. busiest_bytes, busiest_transfers: of the worker that receives most.
    """

    total_bytes: int
    busiest_bytes: int
    busiest_transfers: int


def halo_traffic(
    grid: Grid, sampling_grid: SamplingGrid, blocks: Sequence[Block], value_bytes: int
) -> HaloTraffic:
    """The halo traffic of a step.

    blocks: the tiles of each worker. value_bytes: bytes of a canvas value.
    """
    received: list[list[int]] = [[] for _ in blocks]
    for sends in halo_exchange(grid, sampling_grid, blocks):
        for receiver, rects in sends.items():
            pixels = sum(rect.area for rect in rects)
            received[receiver].append(pixels * _CHANNELS * value_bytes)
    busiest = max(received, key=sum)
    return HaloTraffic(sum(map(sum, received)), sum(busiest), len(busiest))
