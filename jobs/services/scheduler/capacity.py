"""The capacity of a machine or cluster, and the shares of it that jobs use."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pydantic import ByteSize, TypeAdapter, ValidationError

from cluster.ray_query import Capacity
from jobs.planning.machine import this_machine
from jobs.runtime.metrics.snapshot import ResourceUse
from jobs.spec.base import Crew
from jobs.text.errors import RequestError


@dataclass(frozen=True)
class ResourceShare:
    """A number of CPUs (logical, as Ray counts them), and GPUs by their indices."""

    cores: int
    gpus: tuple[int, ...] = ()


def allocate(crew: Crew, total: ResourceShare, free: ResourceShare) -> ResourceShare | None:
    """The share of `free` that a crew gets; None if it has to wait.

    With `workers: auto` a crew gets all that is free. With a number it needs the resources of all
    workers; CPU workers may take turns, so all cores of `total` suffice for any number. Two jobs
    never share a GPU.
    """
    if not total.cores:
        return None
    gpus_each = _gpus_each(crew.gpus_per_worker, total)
    if crew.workers == "auto":
        if not free.cores or (gpus_each and len(free.gpus) < gpus_each):
            return None
        return ResourceShare(free.cores, free.gpus if gpus_each else ())
    gpus = crew.workers * gpus_each
    cores = min(crew.workers * crew.cpus_each, total.cores)
    if cores > free.cores or gpus > len(free.gpus):
        return None
    return ResourceShare(cores, free.gpus[:gpus])


def share_in_use(granted: ResourceShare, memory: int, use: ResourceUse) -> ResourceShare:
    """The part of a granted share that a job still needs, given what its crew uses.

    memory: bytes granted with the share. The next job gets memory in proportion to its cores, so
    the job keeps at least the cores that its memory corresponds to. It keeps its first GPUs.
    """
    for_memory = math.ceil(granted.cores * use.memory / memory)
    return ResourceShare(min(granted.cores, max(use.cores, for_memory)), granted.gpus[: use.gpus])


def _gpus_each(wanted: int | Literal["auto"], total: ResourceShare) -> int:
    if wanted == "auto":
        return 1 if total.gpus else 0
    return wanted


@dataclass(frozen=True)
class TotalCapacity:
    """The resources of a machine or cluster.

    total: all of them. free: those that this scheduler may still use. memory: total bytes.
    is_fixed: whether the total never grows, so that a job that exceeds it need not wait.
    """

    total: ResourceShare
    free: ResourceShare
    memory: int
    is_fixed: bool = True


CapacityQuery = Callable[[list[ResourceShare]], TotalCapacity]
"""Returns the capacity, given the shares of the scheduler's own jobs."""


def machine_capacity_query() -> CapacityQuery:
    """A query for this machine. It counts only this scheduler's jobs as use."""
    machine = this_machine()
    total = ResourceShare(machine.cores, tuple(range(machine.gpus)))

    def query(used: list[ResourceShare]) -> TotalCapacity:
        return TotalCapacity(total, subtract(total, used), machine.memory)

    return query


def cluster_capacity_query(address: str, limit: Capacity | None = None) -> CapacityQuery:
    """A query for the Ray cluster at `address`, HOST:PORT, which others may use too.

    limit: the size that the cluster can grow to; machines that are still missing count as free.
    The query raises ClusterUnreachable.
    """

    def query(used: list[ResourceShare]) -> TotalCapacity:
        from cluster.ray_query import query_capacity

        present, free = query_capacity(address)
        missing = (limit or present).excess_over(present)
        total = ResourceShare(
            int(present.cpus + missing.cpus), tuple(range(int(present.gpus + missing.gpus)))
        )
        # Ray may still count the resources of a job that has just started as free.
        unassigned = subtract(total, used)
        cores, gpus = int(free.cpus + missing.cpus), int(free.gpus + missing.gpus)
        return TotalCapacity(
            total,
            ResourceShare(min(cores, unassigned.cores), unassigned.gpus[:gpus]),
            int(present.memory + missing.memory),
            is_fixed=False,
        )

    return query


def subtract(total: ResourceShare, used: list[ResourceShare]) -> ResourceShare:
    """The part of a share that is left when others are in use. Never below zero cores."""
    taken = {gpu for share in used for gpu in share.gpus}
    return ResourceShare(
        max(0, total.cores - sum(share.cores for share in used)),
        tuple(gpu for gpu in total.gpus if gpu not in taken),
    )


_MACHINES = re.compile(r"(\d+) ?x ?(\d+) ?cpu(?:, ?(\d+) ?gpu)?, ?(\d[\w.]*)", re.IGNORECASE)

_BYTES: TypeAdapter[ByteSize] = TypeAdapter(ByteSize)


def parse_autoscale_limit(text: str) -> Capacity:
    """Parse `16x8cpu,1gpu,32GiB`, or `4x8cpu,32GiB` without GPUs, into the sum of all machines.

    Raises RequestError for any other text.
    """
    match = _MACHINES.fullmatch(text.strip())
    machines, cpus, gpus = (int(one or 0) for one in match.group(1, 2, 3)) if match else (0, 0, 0)
    try:
        memory = _BYTES.validate_python(match[4] if match else None)
    except ValidationError:
        memory = ByteSize(0)
    if not machines or not cpus or not memory:
        raise RequestError(
            f"--grows-to {text}: write the machines that the cluster may have, such as "
            "16x8cpu,1gpu,32GiB"
        )
    return Capacity(cpus=machines * cpus, gpus=machines * gpus, memory=machines * memory)
