"""What of a machine or a cluster the jobs of one scheduler use, and what is free."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import ByteSize, TypeAdapter, ValidationError

from cluster.ray_query import Capacity
from jobs.planning.machine import this_machine
from jobs.runtime.metrics.counters import ResourceUse
from jobs.spec.base import Crew
from jobs.text.errors import RequestError

if TYPE_CHECKING:
    from cluster.ray_query import Capacity


@dataclass(frozen=True)
class ResourceShare:
    """CPUs (logical, as Ray counts them) and GPUs, by their numbers."""

    cores: int
    gpus: tuple[int, ...] = ()


def share_for(crew: Crew, whole: ResourceShare, free: ResourceShare) -> ResourceShare | None:
    """What a job gets now; None where it has to wait.

    With `workers: auto` it takes what is free, until it is `kept`; with a number it needs so many,
    or all cores, which are enough for any number where workers only take turns. GPUs are not
    shared.
    """
    if not whole.cores:
        return None
    gpus_each = _gpus_each(crew.gpus_per_worker, whole)
    if crew.workers == "auto":
        if not free.cores or (gpus_each and len(free.gpus) < gpus_each):
            return None
        return ResourceShare(free.cores, free.gpus if gpus_each else ())
    gpus = crew.workers * gpus_each
    cores = min(crew.workers * crew.cpus_each, whole.cores)
    if cores > free.cores or gpus > len(free.gpus):
        return None
    return ResourceShare(cores, free.gpus[:gpus])


def kept(given: ResourceShare, memory: int, use: ResourceUse) -> ResourceShare:
    """What of a share a job keeps that uses so much, given `memory` bytes with it.

    At least the cores for which its memory stands: the next job gets memory with the others. Of the
    GPUs it has the first.
    """
    for_memory = math.ceil(given.cores * use.memory / memory)
    return ResourceShare(min(given.cores, max(use.cores, for_memory)), given.gpus[: use.gpus])


def _gpus_each(wanted: int | Literal["auto"], whole: ResourceShare) -> int:
    if wanted == "auto":
        return 1 if whole.gpus else 0
    return wanted


@dataclass(frozen=True)
class TotalCapacity:
    """All there is, what of it is free for this scheduler, and bytes of memory of all.

    is_fixed: whether there will never be more, so that what does not fit need not wait.
    """

    share: ResourceShare
    free: ResourceShare
    memory: int
    is_fixed: bool = True


Ask = Callable[[list[ResourceShare]], TotalCapacity]
"""Asks what there is, given what the scheduler's own jobs use."""


def machine_capacity() -> Ask:
    """This machine, of which only this scheduler's jobs use anything that counts."""
    machine = this_machine()
    share = ResourceShare(machine.cores, tuple(range(machine.gpus)))

    def ask(used: list[ResourceShare]) -> TotalCapacity:
        return TotalCapacity(share, minus(share, used), machine.memory)

    return ask


def cluster_capacity_of(address: str, most: "Capacity | None" = None) -> Ask:
    """The Ray cluster at an address, HOST:PORT, which others may use as well.

    most: what it can grow to; what of that is not there yet counts as free.
    """

    def ask(used: list[ResourceShare]) -> TotalCapacity:
        from cluster.ray_query import query_capacity

        found, free = query_capacity(address)
        coming = (most or found).excess_over(found)
        share = ResourceShare(
            int(found.cpus + coming.cpus), tuple(range(int(found.gpus + coming.gpus)))
        )
        # What was started last may not have taken its place yet.
        mine = minus(share, used)
        cores, gpus = int(free.cpus + coming.cpus), int(free.gpus + coming.gpus)
        return TotalCapacity(
            share,
            ResourceShare(min(cores, mine.cores), mine.gpus[:gpus]),
            int(found.memory + coming.memory),
            is_fixed=False,
        )

    return ask


def minus(whole: ResourceShare, used: list[ResourceShare]) -> ResourceShare:
    """What is left of a share."""
    taken = {gpu for one in used for gpu in one.gpus}
    return ResourceShare(
        max(0, whole.cores - sum(one.cores for one in used)),
        tuple(gpu for gpu in whole.gpus if gpu not in taken),
    )


_MACHINES = re.compile(r"(\d+) ?x ?(\d+) ?cpu(?:, ?(\d+) ?gpu)?, ?(\d[\w.]*)", re.IGNORECASE)

_BYTES: TypeAdapter[ByteSize] = TypeAdapter(ByteSize)


def parse_autoscale_limit(text: str) -> Capacity:
    """All machines together, from `16x8cpu,1gpu,32GiB`; without GPUs `4x8cpu,32GiB`.

    RequestError, in one line, where it says anything else.
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
