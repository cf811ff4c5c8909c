"""What a scheduler may use: this machine, or a Ray cluster."""

from collections.abc import Callable
from dataclasses import dataclass

from jobs.machine import this_machine
from jobs.scheduler.capacity import Share


@dataclass(frozen=True)
class Whole:
    """All there is, what of it is free for this scheduler, and bytes of memory of all."""

    share: Share
    free: Share
    memory: int


Ask = Callable[[list[Share]], Whole]
"""Asks what there is, given what the scheduler's own jobs use."""


def machine_whole() -> Ask:
    """This machine, of which only this scheduler's jobs use anything that counts."""
    machine = this_machine()
    share = Share(machine.cores, tuple(range(machine.gpus)))

    def ask(used: list[Share]) -> Whole:
        return Whole(share, minus(share, used), machine.memory)

    return ask


def cluster_whole(address: str) -> Ask:
    """The Ray cluster at an address, HOST:PORT, which others may use as well."""

    def ask(used: list[Share]) -> Whole:
        from cluster.room import room

        found, free = room(address)
        share = Share(int(found.cpus), tuple(range(int(found.gpus))))
        # What was started last may not have taken its place yet.
        mine = minus(share, used)
        return Whole(
            share,
            Share(min(int(free.cpus), mine.cores), mine.gpus[: int(free.gpus)]),
            int(found.memory),
        )

    return ask


def minus(whole: Share, used: list[Share]) -> Share:
    """What is left of a share."""
    taken = {gpu for one in used for gpu in one.gpus}
    return Share(
        max(0, whole.cores - sum(one.cores for one in used)),
        tuple(gpu for gpu in whole.gpus if gpu not in taken),
    )
