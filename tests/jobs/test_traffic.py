"""What a crew's members send each other: the fragments that geometry says, and nothing else."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from cluster.crew import Crew
from cluster.local import LocalCrew
from jobs.planning.poster import Plan
from jobs.poster.worker import Worker
from render.engine.shard import Fragment
from render.geometry.halo import fragments
from render.geometry.partition import partition
from render.geometry.sampling_grid import Lattice
from tests.jobs.small import held, planned

ARRIVED: Counter[tuple[int, int]] = Counter()
"""Bytes of pixels that arrived for a step of an octave, at all members together."""


class Weigher(Worker):
    """Weighs what it gets."""

    def climb(self, step: int, *fragments: Fragment) -> dict[int, tuple[float, ...]]:
        ARRIVED[self._octave, step] += sum(pixels.nbytes for _, pixels in fragments)
        return super().climb(step, *fragments)


@contextmanager
def weighers(_: Plan, __: object, arguments: Sequence[tuple[object, ...]]) -> Iterator[Crew]:
    with LocalCrew(Weigher, arguments) as crew:
        yield crew


@pytest.mark.parametrize("jitter", [0, 6])
@pytest.mark.parametrize("workers", [1, 5])
def test_a_step_moves_the_bytes_that_geometry_says(
    picture: Path, weights: Path, tmp_path: Path, workers: int, jitter: int
) -> None:
    settings = (f"crew.workers={workers}", f"dream.jitter={jitter}", "size=150x102")
    plan = planned(picture, weights, *settings)
    ARRIVED.clear()
    held(plan, tmp_path, weighers).run()

    lattice = Lattice(plan.survey.stride, plan.survey.field, jitter)
    wanted = {}
    for octave, grid in enumerate(plan.grids):
        gives = fragments(grid, lattice, partition(grid, workers))
        pixels = sum(rect.area for own in gives for rect in own.values())
        for step in range(plan.spec.dream.steps):
            wanted[octave, step] = pixels * 3 * np.float32().nbytes
    assert wanted == ARRIVED
    assert all(wanted.values()) == (workers > 1)
