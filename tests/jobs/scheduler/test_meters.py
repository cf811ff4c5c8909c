"""What a scheduler's meters show of the jobs that it sees and has."""

import pytest

from jobs.records.request import pause
from jobs.services.scheduler.coordinator import UNFIT
from tests.jobs.scheduler.office import Office


def shown(office: Office, name: str, **labels: str) -> float | None:
    return office.registry.get_sample_value(f"dreamfarm_{name}", labels)


def states(office: Office) -> dict[str, float | None]:
    return {one: shown(office, "jobs", state=one) for one in ("queued", "running", "paused")}


def test_jobs_are_shown_by_state_and_the_queue_by_its_oldest() -> None:
    office = Office(cores=1)
    waiting, paused = office.submit("old"), office.submit("asleep")
    pause(office.store, paused)
    taken = office.submit("first", priority=90)
    office.store.now += 10
    office.look_around()
    assert office.started == [taken]
    # A look shows what was there when it began.
    office.look_around()
    assert states(office) == {"queued": 1, "running": 1, "paused": 1}
    assert shown(office, "queue_age_seconds") == 12
    assert shown(office, "store_answers") == 1

    office.end(taken)
    office.look_around()
    office.look_around()
    assert office.started == [taken, waiting]
    assert states(office) == {"queued": 0, "running": 1, "paused": 1}
    assert shown(office, "queue_age_seconds") == 0
    assert shown(office, "jobs_ended_total", state="succeeded") == 1


@pytest.mark.parametrize(("code", "retries"), [(1, 1), (-9, 1), (UNFIT, 0), (0, 0)])
def test_a_holder_that_died_is_a_retry(code: int, retries: int) -> None:
    office = Office()
    job = office.submit("sky")
    office.look_around()
    office.end(job, code, manifest=code == 0)
    office.look_around()
    assert shown(office, "retries_total", **{"class": "infra"}) == retries
    assert shown(office, "jobs_ended_total", state="succeeded") == (code == 0)


def test_a_job_that_is_too_large_waits_in_the_queue() -> None:
    office = Office(cores=1)
    office.submit("large", workers=1, gpus_per_worker=4)
    office.look_around()
    office.look_around()
    assert states(office)["queued"] == 1
