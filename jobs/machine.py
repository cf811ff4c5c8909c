"""What this machine has to offer a local crew."""

import os
from dataclasses import dataclass

from jobs.errors import RequestError
from jobs.spec import Crew
from render.device import gpu_count


@dataclass(frozen=True)
class Machine:
    """Cores and GPUs that this process may use, and bytes of memory."""

    cores: int
    gpus: int
    memory: int

    def gpus_each(self, crew: Crew) -> int:
        """The GPUs of each worker: one where there are any, unless the crew says otherwise.

        RequestError where there are not so many.
        """
        if crew.gpus_per_worker == "auto":
            return 1 if self.gpus else 0
        if crew.gpus_per_worker > self.gpus:
            raise RequestError(
                f"crew.gpus_per_worker: this machine has {self.gpus} GPUs, "
                f"not {crew.gpus_per_worker}; leave it out, or write auto"
            )
        return crew.gpus_per_worker

    def workers(self, crew: Crew, tiles: int) -> int:
        """As many as were asked for; else one a GPU or core, but none without a tile.

        RequestError where there are not enough GPUs.
        """
        gpus = self.gpus_each(crew)
        if crew.workers == "auto":
            return min(self.gpus // gpus if gpus else self.cores, tiles)
        if crew.workers * gpus > self.gpus:
            raise RequestError(
                f"crew.workers: {crew.workers} workers with {gpus} GPU each do not fit this "
                f"machine's {self.gpus}; ask for fewer, or for crew.gpus_per_worker: 0"
            )
        return crew.workers

    def memory_each(self, crew: Crew, workers: int) -> int:
        """Bytes that each of the workers may take: three quarters of the machine for all."""
        if crew.memory_per_worker == "auto":
            return self.memory * 3 // 4 // workers
        return int(crew.memory_per_worker)


def this_machine() -> Machine:
    """The machine that this process runs on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Machine(len(os.sched_getaffinity(0)), gpu_count(), memory)
