"""The metrics that a coordinator sends."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cluster.crew import Crew
from cluster.local import LocalCrew
from jobs.planning.poster import PosterPlan
from jobs.poster.worker import Worker
from jobs.runtime.backend import crew_in_process
from jobs.runtime.metrics.snapshot import MetricsSnapshot, SnapshotReader
from jobs.services.scheduler.coordinator import DONE
from tests.support.coordinators import claim_job, submit_small_poster
from tests.support.memory_store import MemoryStore


class WorkerShortOfMemory(Worker):
    """Runs out of memory, unless it holds one tile at a time."""

    def compute_gradients(self, step: int, *halos: Any) -> dict[int, tuple[float, ...]]:
        if step == 1 and not self._setup.spill:
            raise MemoryError
        return super().compute_gradients(step, *halos)


@contextmanager
def crew_short_of_memory(
    plan: PosterPlan, _: object, arguments: Sequence[tuple[object, ...]]
) -> Iterator[Crew]:
    with LocalCrew(WorkerShortOfMemory, arguments) as crew:
        yield crew


@pytest.fixture
def reader() -> Iterator[SnapshotReader]:
    one = SnapshotReader()
    yield one
    one.close()


def run_job(
    reader: SnapshotReader, start: Any, picture: Path, weights: Path, scratch: Path
) -> MetricsSnapshot:
    """Run a job of two octaves with two steps each; returns the last metrics."""
    store = MemoryStore()
    job = submit_small_poster(store, picture, weights)
    holder = claim_job(store, job, scratch, start=start, metrics_pipe=reader.child_end)
    assert holder.run() == DONE
    reader.close_child_end()
    found = reader.newest()
    assert found is not None
    return found


def test_metrics_cover_the_whole_job(
    reader: SnapshotReader, picture: Path, weights: Path, tmp_path: Path
) -> None:
    found = run_job(reader, crew_in_process, picture, weights, tmp_path)
    # The crew has ended before the files were written.
    assert (found.steps, found.workers, found.progress) == (4, 0, 1.0)
    # Two steps at 70 x 50 pixels, and two with each side 1.4 times shorter.
    assert found.megapixel_steps == pytest.approx(2 * 1.5 * 3500 / 1e6, rel=0.05)
    assert set(found.phase_seconds) == {"load", "gradients", "update", "save", "waiting"}
    assert all(found.phase_seconds[phase] > 0 for phase in ("load", "gradients", "update", "save"))
    assert found.halo_bytes > 0
    assert found.checkpoints >= 2
    assert found.checkpoint_seconds > 0
    assert found.gpu_memory == ()
    assert found.retries == {}
    # Each of two workers gives a core to the encoder.
    assert found.use is not None
    assert (found.use.cores, found.use.gpus) == (2, 0)


def test_metrics_count_replaced_crews(
    reader: SnapshotReader, picture: Path, weights: Path, tmp_path: Path
) -> None:
    found = run_job(reader, crew_short_of_memory, picture, weights, tmp_path)
    assert found.retries == {"memory": 1}
    assert found.steps == 4
