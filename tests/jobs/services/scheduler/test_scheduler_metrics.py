"""The metrics of a scheduler."""

import pytest

from jobs.records.request import pause
from jobs.services.scheduler.coordinator import UNFIT
from tests.support.scheduler_harness import SchedulerHarness


def metric(harness: SchedulerHarness, name: str, **labels: str) -> float | None:
    return harness.registry.get_sample_value(f"dreamfarm_{name}", labels)


def states(harness: SchedulerHarness) -> dict[str, float | None]:
    return {one: metric(harness, "jobs", state=one) for one in ("queued", "running", "paused")}


def test_jobs_are_counted_by_state_and_the_oldest_gives_the_queue_age() -> None:
    harness = SchedulerHarness(cores=1)
    waiting, paused = harness.submit("old"), harness.submit("asleep")
    pause(harness.store, paused)
    taken = harness.submit("first", priority=90)
    harness.store.now += 10
    harness.scan()
    assert harness.started == [taken]
    # A scan counts the states from before it starts jobs.
    harness.scan()
    assert states(harness) == {"queued": 1, "running": 1, "paused": 1}
    assert metric(harness, "queue_age_seconds") == 12
    assert metric(harness, "store_answers") == 1

    harness.end(taken)
    harness.scan()
    harness.scan()
    assert harness.started == [taken, waiting]
    assert states(harness) == {"queued": 0, "running": 1, "paused": 1}
    assert metric(harness, "queue_age_seconds") == 0
    assert metric(harness, "jobs_ended_total", state="succeeded") == 1


@pytest.mark.parametrize(("code", "retries"), [(1, 1), (-9, 1), (UNFIT, 0), (0, 0)])
def test_a_dead_coordinator_counts_as_a_retry(code: int, retries: int) -> None:
    harness = SchedulerHarness()
    job = harness.submit("sky")
    harness.scan()
    harness.end(job, code, manifest=code == 0)
    harness.scan()
    assert metric(harness, "retries_total", **{"class": "infra"}) == retries
    assert metric(harness, "jobs_ended_total", state="succeeded") == (code == 0)


def test_an_oversized_job_counts_as_queued() -> None:
    harness = SchedulerHarness(cores=1)
    harness.submit("large", workers=1, gpus_per_worker=4)
    harness.scan()
    harness.scan()
    assert states(harness)["queued"] == 1
