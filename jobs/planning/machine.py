"""What this machine has to offer a local crew."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from jobs.spec.base import Crew
from jobs.text.errors import TooSmall
from render.device import gpu_count, gpu_memory

_CONTROL_GROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Machine:
    """Cores and GPUs that this process may use, bytes of memory, and bytes of one GPU's memory."""

    cores: int
    gpus: int
    memory: int
    gpu_memory: int = 0

    def gpus_each(self, crew: Crew) -> int:
        """The GPUs of each worker: one where there are any, unless the crew says otherwise.

        TooSmall where there are not so many.
        """
        if crew.gpus_per_worker == "auto":
            return 1 if self.gpus else 0
        if crew.gpus_per_worker > self.gpus:
            raise TooSmall(
                f"crew.gpus_per_worker: this machine has {self.gpus} GPUs, "
                f"not {crew.gpus_per_worker}; leave it out, or write auto"
            )
        return crew.gpus_per_worker

    def workers(self, crew: Crew, tiles: int) -> int:
        """As many as were asked for; else one a GPU or core, but none without a tile.

        TooSmall where there are not enough GPUs.
        """
        gpus = self.gpus_each(crew)
        if crew.workers == "auto":
            return min(self.gpus // gpus if gpus else self.cores, tiles)
        if crew.workers * gpus > self.gpus:
            raise TooSmall(
                f"crew.workers: {crew.workers} workers with {gpus} GPU each do not fit this "
                f"machine's {self.gpus}; ask for fewer, or for crew.gpus_per_worker: 0"
            )
        return crew.workers

    def memory_each(self, crew: Crew, workers: int) -> int:
        """Bytes that each of the workers may take: three quarters of the machine for all.

        A worker with a GPU holds its shard and windows there, so the GPU's memory counts as well,
        where it is known.
        TooSmall where the crew says more than the machine has.
        """
        share = self.memory // workers
        if crew.memory_per_worker == "auto":
            mine = share * 3 // 4
            has_gpu = self.gpus_each(crew) and self.gpu_memory
            return min(mine, self.gpu_memory * 3 // 4) if has_gpu else mine
        if crew.memory_per_worker > share:
            raise TooSmall(
                f"crew.memory_per_worker: {workers} workers with "
                f"{crew.memory_per_worker / 2**30:.2f} GiB each are more than this machine's "
                f"{self.memory / 2**30:.2f} GiB; ask for less, or for fewer workers"
            )
        return int(crew.memory_per_worker)


def this_machine() -> Machine:
    """The machine that this process runs on, or the part of it that its container may use."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Machine(
        cores=min(len(os.sched_getaffinity(0)), _container_cores()),
        gpus=gpu_count(),
        memory=min(memory, _container_memory()),
        gpu_memory=gpu_memory(),
    )


def _container_cores() -> int:
    """What control group version 2 allows, at least 1."""
    quota, period = (*_control("cpu.max"), "max", "1")[:2]
    return sys.maxsize if quota == "max" else max(1, int(quota) // int(period))


def _container_memory() -> int:
    limit = (*_control("memory.max"), "max")[0]
    return sys.maxsize if limit == "max" else int(limit)


def _control(name: str) -> list[str]:
    """The words of a setting of this process's control group; none where there is no such file."""
    try:
        return (_CONTROL_GROUP / name).read_text().split()
    except OSError:
        return []
