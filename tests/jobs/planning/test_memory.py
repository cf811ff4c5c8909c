"""The predicted memory of a poster's worker. test_a3_poster.py measures it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.planning.memory import WorkerMemory, worker_memory
from jobs.text.errors import RequestError
from render.engine.memory import Cost
from render.geometry.grid import Grid
from render.geometry.partition import partition
from render.geometry.sampling_grid import SamplingGrid

COST = Cost(fixed=1e6, bytes_per_pixel=500, flops_per_pixel=1000, weights=3_000_000)
SAMPLING_GRID = SamplingGrid(stride=8, field=91, jitter=32)


def needed(grid: Grid, workers: int = 1, objectives: int = 1, limit: int = 1 << 40) -> WorkerMemory:
    blocks = partition(grid, workers)
    return worker_memory(grid, SAMPLING_GRID, COST, objectives, 4, blocks, limit, is_limited=True)


def test_disk_saves_the_shard() -> None:
    memory = needed(Grid(4000, 4000, 500))
    values = 3 * 4 * 2  # channels, bytes, canvas and gradient

    assert memory.in_memory - memory.on_disk == (4000**2 - 500**2) * values
    assert memory.halo == 0


def test_more_workers_hold_less_each_and_exchange_halos() -> None:
    alone, shared = needed(Grid(4000, 4000, 500)), needed(Grid(4000, 4000, 500), workers=4)

    assert shared.in_memory < alone.in_memory
    assert 0 < shared.halo < alone.in_memory


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(16, 900), st.integers(1, 9))
def test_disk_never_needs_more_than_memory(
    height: int, width: int, tile: int, workers: int
) -> None:
    memory = needed(Grid(height, width, tile), workers)

    # On disk, a tile counts in full even if the picture does not fill it.
    assert memory.on_disk <= memory.in_memory + tile**2 * 24
    assert 0 <= memory.halo <= height * width * 12


def test_each_objective_stores_a_gradient() -> None:
    grid = Grid(1000, 1000, 250)
    assert needed(grid, objectives=3).in_memory - needed(grid).in_memory == 2 * 1000**2 * 12


def test_a_worker_spills_before_it_fails() -> None:
    memory = needed(Grid(4000, 4000, 500))
    between = (memory.in_memory + memory.on_disk) // 2

    assert not WorkerMemory(memory.in_memory, memory.on_disk, memory.in_memory, 0, True).spills
    spilled = WorkerMemory(memory.in_memory, memory.on_disk, between, 0, True)
    spilled.check(tile=500)
    assert spilled.spills
    assert spilled.needed == memory.on_disk
    with pytest.raises(RequestError, match="tiles of 500 pixels"):
        WorkerMemory(memory.in_memory, memory.on_disk, memory.on_disk - 1, 0, True).check(tile=500)
