"""The cores, GPUs and memory that a machine offers a local crew."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from jobs.spec.base import Crew
from jobs.text.errors import MachineTooSmall
from render.device import gpu_count, gpu_memory
from render.engine.setup import MAX_THREADS

_CGROUP = Path("/sys/fs/cgroup")

_NUMA_NODES = Path("/sys/devices/system/node")


@dataclass(frozen=True)
class Machine:
    """The cores, GPUs and bytes of memory that this process may use.

    gpu_memory: bytes of one GPU's memory; 0 if unknown.
    cores_per_worker: the cores that one worker's threads can use.
    """

    cores: int
    gpus: int
    memory: int
    gpu_memory: int = 0
    cores_per_worker: int = 1

    def gpus_per_worker(self, crew: Crew) -> int:
        """The GPUs of each worker. With `auto`: one if the machine has any.

        Raises MachineTooSmall if the crew wants more than there are.
        """
        if crew.gpus_per_worker == "auto":
            return 1 if self.gpus else 0
        if crew.gpus_per_worker > self.gpus:
            raise MachineTooSmall(
                f"crew.gpus_per_worker: this machine has {self.gpus} GPUs, "
                f"not {crew.gpus_per_worker}; leave it out, or write auto"
            )
        return crew.gpus_per_worker

    def workers(self, crew: Crew, tiles: int, cores_each: int = 1) -> int:
        """The number of workers. With `auto`: one for each GPU, or for each `cores_each` cores.

        There is at most one for each tile. Raises MachineTooSmall if there are too few GPUs.
        """
        gpus = self.gpus_per_worker(crew)
        if crew.workers == "auto":
            return min(self.gpus // gpus if gpus else -(-self.cores // cores_each), tiles)
        if crew.workers * gpus > self.gpus:
            raise MachineTooSmall(
                f"crew.workers: {crew.workers} workers with {gpus} GPU each do not fit this "
                f"machine's {self.gpus}; ask for fewer, or for crew.gpus_per_worker: 0"
            )
        return crew.workers

    def memory_per_worker(self, crew: Crew, workers: int) -> int:
        """Bytes that each worker may use. With `auto`: three quarters of the machine, divided.

        A GPU worker holds its shard and windows on its GPU. There, `auto` also means at most three
        quarters of the GPU's memory, if that is known.

        Raises MachineTooSmall if the crew wants more than the machine has.
        """
        share = self.memory // workers
        if crew.memory_per_worker == "auto":
            usable = share * 3 // 4
            has_gpu = self.gpus_per_worker(crew) and self.gpu_memory
            return min(usable, self.gpu_memory * 3 // 4) if has_gpu else usable
        if crew.memory_per_worker > share:
            raise MachineTooSmall(
                f"crew.memory_per_worker: {workers} workers with "
                f"{crew.memory_per_worker / 2**30:.2f} GiB each are more than this machine's "
                f"{self.memory / 2**30:.2f} GiB; ask for less, or for fewer workers"
            )
        return int(crew.memory_per_worker)


def this_machine() -> Machine:
    """The machine of this process, or the part of it that its container may use."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Machine(
        cores=available_cores(),
        gpus=gpu_count(),
        memory=min(memory, _container_memory()),
        gpu_memory=gpu_memory(),
        cores_per_worker=_cores_per_worker(),
    )


def _cores_per_worker() -> int:
    """The cores of a worker: those of one NUMA node, and at most one for each of its threads."""
    nodes = len(list(_NUMA_NODES.glob("node[0-9]*"))) or 1
    return max(1, min(available_cores() // nodes, MAX_THREADS))


def available_cores() -> int:
    """The cores that this process may use."""
    return min(len(os.sched_getaffinity(0)), _container_cores())


def _container_cores() -> int:
    """The quota of control group version 2 in whole cores, at least 1."""
    quota, period = (*_cgroup_setting("cpu.max"), "max", "1")[:2]
    return sys.maxsize if quota == "max" else max(1, int(quota) // int(period))


def _container_memory() -> int:
    limit = (*_cgroup_setting("memory.max"), "max")[0]
    return sys.maxsize if limit == "max" else int(limit)


def _cgroup_setting(name: str) -> list[str]:
    """The words of a control group setting; empty if the file does not exist."""
    try:
        return (_CGROUP / name).read_text().split()
    except OSError:
        return []
