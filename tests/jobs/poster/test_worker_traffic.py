"""What a crew's members send each other: the fragments that geometry says, and nothing else."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from cluster.crew import Crew
from cluster.local import LocalCrew
from jobs.planning.poster import PosterPlan
from jobs.poster.worker import Worker
from render.engine.shard import HaloPixels
from render.geometry.halo import halo_exchange
from render.geometry.partition import partition
from render.geometry.sampling_grid import SamplingGrid
from tests.support.small_poster import claim_poster, plan_poster

ARRIVED: Counter[tuple[int, int]] = Counter()
"""Bytes of pixels that arrived for a step of an octave, at all members together."""


class Weigher(Worker):
    """Weighs what it gets."""

    def compute_gradients(
        self, step: int, *halo_exchange: HaloPixels
    ) -> dict[int, tuple[float, ...]]:
        ARRIVED[self._octave, step] += sum(pixels.nbytes for _, pixels in halo_exchange)
        return super().compute_gradients(step, *halo_exchange)


@contextmanager
def weighers(_: PosterPlan, __: object, arguments: Sequence[tuple[object, ...]]) -> Iterator[Crew]:
    with LocalCrew(Weigher, arguments) as crew:
        yield crew


@pytest.mark.parametrize("jitter", [0, 6])
@pytest.mark.parametrize("workers", [1, 5])
def test_a_step_moves_the_bytes_that_geometry_says(
    picture: Path, weights: Path, tmp_path: Path, workers: int, jitter: int
) -> None:
    settings = (f"crew.workers={workers}", f"dream.jitter={jitter}", "size=150x102")
    plan = plan_poster(picture, weights, *settings)
    ARRIVED.clear()
    claim_poster(plan, tmp_path, weighers).run()

    sampling_grid = SamplingGrid(plan.profile.stride, plan.profile.field, jitter)
    wanted = {}
    for octave, grid in enumerate(plan.grids):
        sends = halo_exchange(grid, sampling_grid, partition(grid, workers))
        pixels = sum(rect.area for own in sends for rect in own.values())
        for step in range(plan.spec.dream.steps):
            wanted[octave, step] = pixels * 3 * np.float32().nbytes
    assert wanted == ARRIVED
    assert all(wanted.values()) == (workers > 1)
