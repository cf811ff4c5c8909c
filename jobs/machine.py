"""What this machine has to offer a local crew."""

import os
from dataclasses import dataclass

from render.device import gpu_count


@dataclass(frozen=True)
class Machine:
    """Cores and GPUs that this process may use, and bytes of memory."""

    cores: int
    gpus: int
    memory: int


def this_machine() -> Machine:
    """The machine that this process runs on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Machine(len(os.sched_getaffinity(0)), gpu_count(), memory)
