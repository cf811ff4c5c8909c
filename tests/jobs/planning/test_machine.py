"""The cores, GPUs and memory that a machine offers a crew."""

import os

import pytest
from pydantic import ByteSize

from jobs.planning.machine import Machine, this_machine
from jobs.spec.base import Crew
from jobs.text.errors import RequestError

LAPTOP = Machine(cores=8, gpus=0, memory=16 << 30)
SERVER = Machine(cores=64, gpus=4, memory=256 << 30)


@pytest.mark.parametrize(
    ("machine", "crew", "tiles", "workers"),
    [
        (LAPTOP, Crew(), 100, 8),
        (LAPTOP, Crew(), 3, 3),
        (LAPTOP, Crew(workers=20), 3, 20),
        (SERVER, Crew(), 100, 4),
        (SERVER, Crew(), 1, 1),
        (SERVER, Crew(gpus_per_worker=2), 100, 2),
        (SERVER, Crew(gpus_per_worker=0), 100, 64),
        (SERVER, Crew(workers=4), 100, 4),
    ],
)
def test_one_worker_per_core_or_gpu_up_to_the_tiles(
    machine: Machine, crew: Crew, tiles: int, workers: int
) -> None:
    assert machine.workers(crew, tiles) == workers


@pytest.mark.parametrize(
    ("machine", "crew", "gpus"),
    [(LAPTOP, Crew(), 0), (SERVER, Crew(), 1), (SERVER, Crew(gpus_per_worker=0), 0)],
)
def test_one_gpu_per_worker_if_there_are_any(machine: Machine, crew: Crew, gpus: int) -> None:
    assert machine.gpus_per_worker(crew) == gpus


def test_a_crew_that_cannot_fit_fails() -> None:
    with pytest.raises(RequestError, match="this machine has 0 GPUs, not 1"):
        LAPTOP.gpus_per_worker(Crew(gpus_per_worker=1))
    with pytest.raises(RequestError, match="5 workers with 1 GPU each do not fit this machine's 4"):
        SERVER.workers(Crew(workers=5), tiles=100)


def test_workers_share_three_quarters_of_the_memory() -> None:
    assert LAPTOP.memory_per_worker(Crew(), 4) == 3 << 30
    assert LAPTOP.memory_per_worker(Crew(memory_per_worker=ByteSize(5)), 4) == 5


def test_this_machine_has_cores_and_memory() -> None:
    machine = this_machine()

    assert machine.cores == len(os.sched_getaffinity(0))
    assert machine.memory > 1 << 28
    assert machine.gpus >= 0
