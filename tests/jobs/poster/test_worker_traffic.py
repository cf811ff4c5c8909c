"""The traffic of a crew: members send each other exactly the halos of the geometry."""

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
from render.geometry.partition import halo_exchange, partition
from render.geometry.sampling_grid import SamplingGrid
from tests.support.small_poster import claim_poster, plan_poster

RECEIVED: Counter[tuple[int, int]] = Counter()
"""Bytes of halos that all members together received, by octave and step."""


class CountingWorker(Worker):
    """Counts the bytes that it receives."""

    def compute_gradients(self, step: int, *halos: HaloPixels) -> dict[int, tuple[float, ...]]:
        RECEIVED[self._octave, step] += sum(pixels.nbytes for halo in halos for _, pixels in halo)
        return super().compute_gradients(step, *halos)


@contextmanager
def counting_crew(
    _: PosterPlan, __: object, arguments: Sequence[tuple[object, ...]]
) -> Iterator[Crew]:
    with LocalCrew(CountingWorker, arguments) as crew:
        yield crew


@pytest.mark.parametrize("jitter", [0, 6])
@pytest.mark.parametrize("workers", [1, 5])
def test_a_step_sends_the_halos_of_the_geometry(
    picture: Path, weights: Path, tmp_path: Path, workers: int, jitter: int
) -> None:
    settings = (f"crew.workers={workers}", f"dream.jitter={jitter}", "size=150x102")
    plan = plan_poster(picture, weights, *settings)
    RECEIVED.clear()
    claim_poster(plan, tmp_path, counting_crew).run()

    sampling_grid = SamplingGrid(plan.profile.stride, plan.profile.field, jitter)
    expected = {}
    for octave, grid in enumerate(plan.grids):
        sends = halo_exchange(grid, sampling_grid, partition(grid, workers))
        pixels = sum(rect.area for own in sends for rects in own.values() for rect in rects)
        for step in range(plan.spec.dream.steps):
            expected[octave, step] = pixels * 3 * np.float32().nbytes
    assert expected == RECEIVED
    assert all(expected.values()) == (workers > 1)
