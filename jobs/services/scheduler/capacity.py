"""What of a machine or a cluster the jobs of one scheduler use, and what is free."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import ByteSize, TypeAdapter, ValidationError

from cluster.ray_capacity import Room
from jobs.planning.machine import this_machine
from jobs.runtime.metrics.counters import Use
from jobs.spec.base import Crew
from jobs.text.errors import RequestError

if TYPE_CHECKING:
    from cluster.ray_capacity import Room


@dataclass(frozen=True)
class Share:
    """CPUs (logical, as Ray counts them) and GPUs, by their numbers."""

    cores: int
    gpus: tuple[int, ...] = ()


def share_for(crew: Crew, whole: Share, free: Share) -> Share | None:
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
        return Share(free.cores, free.gpus if gpus_each else ())
    gpus = crew.workers * gpus_each
    cores = min(crew.workers * crew.cpus_each, whole.cores)
    if cores > free.cores or gpus > len(free.gpus):
        return None
    return Share(cores, free.gpus[:gpus])


def kept(given: Share, memory: int, use: Use) -> Share:
    """What of a share a job keeps that uses so much, given `memory` bytes with it.

    At least the cores for which its memory stands: the next job gets memory with the others. Of the
    GPUs it has the first.
    """
    for_memory = math.ceil(given.cores * use.memory / memory)
    return Share(min(given.cores, max(use.cores, for_memory)), given.gpus[: use.gpus])


def _gpus_each(wanted: int | Literal["auto"], whole: Share) -> int:
    if wanted == "auto":
        return 1 if whole.gpus else 0
    return wanted


@dataclass(frozen=True)
class Whole:
    """All there is, what of it is free for this scheduler, and bytes of memory of all.

    is_fixed: whether there will never be more, so that what does not fit need not wait.
    """

    share: Share
    free: Share
    memory: int
    is_fixed: bool = True


Ask = Callable[[list[Share]], Whole]
"""Asks what there is, given what the scheduler's own jobs use."""


def machine_whole() -> Ask:
    """This machine, of which only this scheduler's jobs use anything that counts."""
    machine = this_machine()
    share = Share(machine.cores, tuple(range(machine.gpus)))

    def ask(used: list[Share]) -> Whole:
        return Whole(share, minus(share, used), machine.memory)

    return ask


def cluster_whole(address: str, most: "Room | None" = None) -> Ask:
    """The Ray cluster at an address, HOST:PORT, which others may use as well.

    most: what it can grow to; what of that is not there yet counts as free.
    """

    def ask(used: list[Share]) -> Whole:
        from cluster.ray_capacity import room

        found, free = room(address)
        coming = (most or found).beyond(found)
        share = Share(int(found.cpus + coming.cpus), tuple(range(int(found.gpus + coming.gpus))))
        # What was started last may not have taken its place yet.
        mine = minus(share, used)
        cores, gpus = int(free.cpus + coming.cpus), int(free.gpus + coming.gpus)
        return Whole(
            share,
            Share(min(cores, mine.cores), mine.gpus[:gpus]),
            int(found.memory + coming.memory),
            is_fixed=False,
        )

    return ask


def minus(whole: Share, used: list[Share]) -> Share:
    """What is left of a share."""
    taken = {gpu for one in used for gpu in one.gpus}
    return Share(
        max(0, whole.cores - sum(one.cores for one in used)),
        tuple(gpu for gpu in whole.gpus if gpu not in taken),
    )


_MACHINES = re.compile(r"(\d+) ?x ?(\d+) ?cpu(?:, ?(\d+) ?gpu)?, ?(\d[\w.]*)", re.IGNORECASE)

_BYTES: TypeAdapter[ByteSize] = TypeAdapter(ByteSize)


def growth(text: str) -> Room:
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
    return Room(cpus=machines * cpus, gpus=machines * gpus, memory=machines * memory)
