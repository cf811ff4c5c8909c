"""What a scheduler's meters show of the jobs that it sees and has."""

import pytest

from jobs.records.request import pause
from jobs.services.scheduler.coordinator import UNFIT
from tests.support.scheduler_harness import SchedulerHarness


def shown(harness: SchedulerHarness, name: str, **labels: str) -> float | None:
    return harness.registry.get_sample_value(f"dreamfarm_{name}", labels)


def states(harness: SchedulerHarness) -> dict[str, float | None]:
    return {one: shown(harness, "jobs", state=one) for one in ("queued", "running", "paused")}


def test_jobs_are_shown_by_state_and_the_queue_by_its_oldest() -> None:
    harness = SchedulerHarness(cores=1)
    waiting, paused = harness.submit("old"), harness.submit("asleep")
    pause(harness.store, paused)
    taken = harness.submit("first", priority=90)
    harness.store.now += 10
    harness.look_around()
    assert harness.started == [taken]
    # A look shows what was there when it began.
    harness.look_around()
    assert states(harness) == {"queued": 1, "running": 1, "paused": 1}
    assert shown(harness, "queue_age_seconds") == 12
    assert shown(harness, "store_answers") == 1

    harness.end(taken)
    harness.look_around()
    harness.look_around()
    assert harness.started == [taken, waiting]
    assert states(harness) == {"queued": 0, "running": 1, "paused": 1}
    assert shown(harness, "queue_age_seconds") == 0
    assert shown(harness, "jobs_ended_total", state="succeeded") == 1


@pytest.mark.parametrize(("code", "retries"), [(1, 1), (-9, 1), (UNFIT, 0), (0, 0)])
def test_a_holder_that_died_is_a_retry(code: int, retries: int) -> None:
    harness = SchedulerHarness()
    job = harness.submit("sky")
    harness.look_around()
    harness.end(job, code, manifest=code == 0)
    harness.look_around()
    assert shown(harness, "retries_total", **{"class": "infra"}) == retries
    assert shown(harness, "jobs_ended_total", state="succeeded") == (code == 0)


def test_a_job_that_is_too_large_waits_in_the_queue() -> None:
    harness = SchedulerHarness(cores=1)
    harness.submit("large", workers=1, gpus_per_worker=4)
    harness.look_around()
    harness.look_around()
    assert states(harness)["queued"] == 1
