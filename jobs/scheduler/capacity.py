"""What of a machine or a cluster the jobs of one scheduler use, and what is free."""

import math
from dataclasses import dataclass
from typing import Literal

from jobs.spec import Crew
from jobs.watching.readings import Use


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
