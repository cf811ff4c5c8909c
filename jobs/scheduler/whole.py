"""What a scheduler may use: this machine, or a Ray cluster."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.machine import this_machine
from jobs.scheduler.capacity import Share

if TYPE_CHECKING:
    from cluster.room import Room


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
        from cluster.room import room

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
