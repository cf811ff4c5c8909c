"""What somebody wants to know of scale: which crews, of what, where."""

import math
import re
from dataclasses import dataclass, replace

from jobs.planning.estimate.comparison import LARGEST
from jobs.planning.estimate.gpu_specs import Card, card
from jobs.planning.machine import Machine
from jobs.spec.base import Crew
from jobs.text.errors import RequestError

_HOST_MEMORY = 32 << 30
"""Bytes of a machine's memory for each worker with a GPU: what clouds give with one, or more."""


@dataclass(frozen=True)
class Asked:
    """workers: the crews' sizes, none for what is useful. card: GPUs that are not here. gbps: of a
    network between machines. price: US dollars for a worker and hour."""

    workers: tuple[int, ...] = ()
    card: Card | None = None
    gbps: float | None = None
    price: float | None = None

    @property
    def is_elsewhere(self) -> bool:
        """Whether it is of machines that are not here."""
        return self.card is not None or self.gbps is not None

    @property
    def wants_crews(self) -> bool:
        """Whether more is asked than a plan says of its one crew."""
        return self.is_elsewhere or len(self.workers) > 1 or self.price is not None

    def machine(self, here: Machine, crew: Crew) -> Machine:
        """What the largest of the crews would have: this machine, or all of those elsewhere.

        Where there is only a network, the machines are like this one.
        """
        if not self.is_elsewhere:
            return here
        named = 1 if crew.workers == "auto" else crew.workers
        workers = max(self.workers, default=named)
        gpus = 1 if crew.gpus_per_worker == "auto" else crew.gpus_per_worker
        if self.card is None:
            shares = here.gpus // gpus if here.gpus and gpus else here.cores // crew.cpus_each
            return replace(
                here,
                cores=workers * crew.cpus_each,
                gpus=workers * gpus if here.gpus else 0,
                memory=workers * here.memory // max(1, shares),
            )
        if not gpus:
            raise RequestError(
                f"--gpu {self.card.name}: crew.gpus_per_worker is 0; leave it out, or write auto"
            )
        return Machine(
            cores=workers * crew.cpus_each,
            gpus=workers * gpus,
            memory=workers * _HOST_MEMORY,
            gpu_memory=self.card.memory,
        )


def asked(workers: str | None, gpu: str | None, gbps: float | None, price: float | None) -> Asked:
    """From the command line's words. RequestError, in one line, for what makes no sense."""
    for option, number in (("--network-gbps", gbps), ("--price", price)):
        if number is not None and not (number > 0 and math.isfinite(number)):
            raise RequestError(f"{option} {number:g}: must be a number above 0")
    return Asked(_counts(workers), None if gpu is None else card(gpu), gbps, price)


def _counts(text: str | None) -> tuple[int, ...]:
    if text is None:
        return ()
    words = [word.strip() for word in text.split(",")]
    counts = [int(word) for word in words if re.fullmatch(r"[0-9]{1,4}", word)]
    if len(counts) < len(words) or not all(1 <= count <= LARGEST for count in counts):
        raise RequestError(
            f"--workers {text}: write a number from 1 to {LARGEST}, or several as 1,8,64"
        )
    return tuple(sorted(set(counts)))
