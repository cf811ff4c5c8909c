"""How the outputs of a poster are encoded: how many at once, and with how many threads each."""

from typing import NamedTuple

from jobs.planning.memory import MOST_THREADS, encoding_memory
from jobs.planning.poster import PosterPlan


class EncodingPlan(NamedTuple):
    """How the outputs are encoded: how many at once, the threads of each, and the memory."""

    outputs: int
    threads: int
    memory: int


def encoding_plan(plan: PosterPlan, machine_cores: int = 0) -> EncodingPlan:
    """Plan the encoding of the outputs, with the cores of a crew and the memory of one worker.

    machine_cores: those of the machine that encodes, if they are known. A worker with a GPU
        reserves one core, and the machine has more.
    """
    cores, outputs = plan.workers * plan.cores_per_worker, plan.spec.outputs
    if plan.gpus_per_worker:
        cores = max(cores, machine_cores)
    most = min(cores, len(outputs))
    for together in range(most, 0, -1):
        for threads in range(min(cores // together, MOST_THREADS), 0, -1):
            memory = encoding_memory(plan.size, outputs, together, threads)
            if memory <= plan.memory.limit or together == threads == 1:
                return EncodingPlan(together, threads, memory)
    raise AssertionError("one output with one thread is always allowed")
