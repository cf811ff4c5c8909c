"""Which job a scheduler takes, and what it does with those that it cannot."""

import itertools
import signal

import pytest

from jobs.records.job import look
from jobs.records.keys import ACTIVE, JobKeys, active
from jobs.records.lease import claim
from jobs.records.request import cancel, pause, retry
from jobs.runtime.lease_renewer import GONE
from jobs.runtime.metrics.counters import Use
from jobs.runtime.reporter import WRITING
from jobs.services.scheduler.capacity import Share
from jobs.services.scheduler.coordinator import UNFIT
from jobs.store.store import LARGEST
from tests.jobs.lifecycle.scene import status
from tests.jobs.scheduler.office import Office


@pytest.fixture
def office() -> Office:
    return Office()


def markers(office: Office) -> list[str]:
    return [entry.key.removeprefix(ACTIVE) for entry in office.store.entries(ACTIVE)]


def test_the_more_important_goes_first_then_the_older(office: Office) -> None:
    jobs = [office.submit("a"), office.submit("b", priority=60), office.submit("c")]
    office.look_around()
    assert office.started == [jobs[1], jobs[0]]
    office.end(jobs[1])
    office.look_around()
    assert office.started == [jobs[1], jobs[0], jobs[2]]


def test_a_job_waits_until_it_has_the_room_that_it_asks_for(office: Office) -> None:
    small, large = office.submit("small"), office.submit("large", workers=2)
    office.look_around()
    assert office.started == [small]
    office.end(small)
    office.look_around()
    assert office.started == [small, large]
    assert office.errands[large].cores == 2


def test_more_workers_than_cores_start_at_once(office: Office) -> None:
    job = office.submit("many", workers=5)
    office.look_around()
    assert office.started == [job]


def test_the_less_important_steps_aside(office: Office) -> None:
    low = office.submit("low", priority=10, workers=2)
    office.look_around()
    high = office.submit("high", priority=90)
    office.look_around()
    office.look_around()
    assert office.figures[low].told == [signal.SIGUSR1]

    office.end(low, manifest=False)
    office.look_around()
    assert office.started == [low, high]


def test_the_equally_important_does_not_step_aside(office: Office) -> None:
    first = office.submit("first", workers=2)
    office.look_around()
    office.submit("second")
    office.look_around()
    assert office.figures[first].told == []


def test_an_idle_scheduler_asks_once_a_poll(office: Office) -> None:
    for name in "abc":
        office.submit(name)
    for _ in range(3):
        office.look_around()
        for job in office.started:
            office.end(job)
    assert office.look_around()
    assert markers(office) == []

    office.store.asked.clear()
    assert office.look_around()
    assert office.store.asked == {"list": 1}


def test_one_that_dies_gives_its_lease_back_and_is_not_tried_again_at_once(office: Office) -> None:
    job = office.submit("a")
    office.look_around()
    office.end(job, code=-9, manifest=False)
    office.look_around()
    standing = look(office.store, job).standing
    assert standing is not None
    assert standing.lease.released
    assert office.started == [job]

    office.now += 2
    office.look_around()
    assert office.started == [job, job]
    assert office.errands[job].number == 2


def test_what_keeps_failing_is_tried_less_and_less(office: Office) -> None:
    job = office.submit("a")
    tried = []
    for second in range(200):
        office.now = float(second)
        office.look_around()
        if office.figures[job].returncode is None:
            tried.append(second)
            office.end(job, code=GONE, manifest=False)
    gaps = [after - before for before, after in itertools.pairwise(tried)]
    assert gaps == sorted(gaps)
    assert len(tried) >= 6
    assert max(gaps) <= 61


def test_a_job_for_another_kind_of_machine_is_left_alone(office: Office) -> None:
    job = office.submit("a")
    office.look_around()
    office.end(job, code=UNFIT, manifest=False)
    office.now += 100
    assert office.look_around()
    assert office.started == [job]
    assert markers(office) == [job]


def test_a_lease_that_ran_out_is_claimed_after_a_moment_only(office: Office) -> None:
    """After an outage of the store the holder is alive, and renews it first."""
    job = office.submit("a")
    held = claim(office.store, JobKeys(job), 0, "other:1", ttl=20)
    assert held is not None
    assert not office.look_around()
    office.store.now += 21
    office.look_around()
    office.now += 9
    office.look_around()
    assert office.started == []
    held.renew()
    office.now += 9
    office.look_around()
    assert office.started == []
    office.store.now += 21
    office.look_around()
    office.now += 11
    office.look_around()
    assert office.started == [job]


@pytest.mark.parametrize("content", [b"something else", bytes(LARGEST + 1)])
def test_what_is_no_spec_is_reported_once_and_left_alone(office: Office, content: bytes) -> None:
    alien = "theirs-0123456789ab"
    office.store.put(JobKeys(alien).spec, content)
    office.store.put(active(alien, 0), b"")
    job = office.submit("a")
    office.look_around()
    office.look_around()
    assert office.started == [job]
    assert len([line for line in office.said if alien in line]) == 1
    assert alien in markers(office)


def test_markers_of_deleted_and_of_ended_jobs_go(office: Office) -> None:
    office.store.put(active("gone-0123456789ab", 0), b"")
    ended = office.submit("ended")
    cancel(office.store, ended)
    assert office.look_around()
    assert markers(office) == []


def test_a_retry_that_meets_an_old_marker_is_found_once(office: Office) -> None:
    job = office.submit("a")
    cancel(office.store, job)
    retry(office.store, job)
    office.store.put(active(job, 0), b"")
    office.store.delete([active(job, 1)])
    office.look_around()
    office.look_around()
    assert office.started == [job]
    assert markers(office) == [f"{job}@1"]


def test_paused_jobs_are_nothing_to_do(office: Office) -> None:
    job = office.submit("a")
    pause(office.store, job)
    assert office.look_around()
    assert office.started == []
    assert markers(office) == [job]


def test_on_a_cluster_what_is_too_large_waits_for_machines_and_keeps_nobody_waiting() -> None:
    office = Office(cores=0, is_fixed=False)
    large, small = office.submit("large", gpus_per_worker=1), office.submit("small")
    assert not office.look_around()
    office.whole = Share(2)
    office.look_around()
    assert office.started == [small]
    assert sum(large in line for line in office.said) == 1
    office.whole = Share(2, (0,))
    office.look_around()
    assert office.started == [small, large]


def test_nobody_overtakes_one_that_waits_for_more_room(office: Office) -> None:
    first = office.submit("first")
    office.look_around()
    large = office.submit("large", workers=2)
    for name in "xyz":
        office.submit(name)
        office.look_around()
    assert office.started == [first]
    office.end(first)
    office.look_around()
    assert office.started == [first, large]


def test_the_room_that_was_made_is_kept_for_whom_it_was_made(office: Office) -> None:
    low = [office.submit("a", priority=10), office.submit("b", priority=10)]
    office.look_around()
    high = office.submit("high", priority=90, workers=2)
    for _ in range(2):
        office.look_around()
        for job in low:
            if office.figures[job].told:
                office.end(job, manifest=False)
    office.look_around()
    assert office.started == [*low, high]


def test_what_never_fits_keeps_nobody_waiting_and_evicts_nobody(office: Office) -> None:
    low = office.submit("low", priority=10, workers=2)
    office.look_around()
    office.submit("greedy", priority=90, gpus_per_worker=1)
    office.look_around()
    assert office.figures[low].told == []
    office.end(low)
    assert office.look_around()
    assert office.started == [low]


def test_other_terms_are_another_try(office: Office) -> None:
    office.submit("greedy", gpus_per_worker=1)
    assert office.look_around()
    modest = office.submit("greedy")
    assert not office.look_around()
    assert office.started == [modest]


def test_a_job_holds_no_more_than_its_crew_asks_for() -> None:
    office = Office(cores=4)
    first = office.submit("first", workers="auto")
    office.look_around()
    second = office.submit("second", workers="auto")
    office.look_around()
    assert office.started == [first]
    assert (office.errands[first].cores, office.errands[first].memory) == (4, 8 << 30)

    office.uses(first, Use(cores=1, gpus=0, memory=3 << 30))
    assert office.scheduler.reap()
    office.look_around()
    assert office.started == [first, second]
    # The first one keeps the cores for which its memory stands.
    assert (office.errands[second].cores, office.errands[second].memory) == (2, 4 << 30)


def test_what_a_job_lets_go_of_others_get_at_once() -> None:
    office = Office(cores=4)
    office.whole = Share(4, (0, 1, 2))
    dreams, writes = Use(cores=2, gpus=2, memory=1 << 30), Use(cores=1, gpus=0, memory=1 << 30)
    first = office.submit("first", workers="auto")
    office.look_around()
    office.uses(first, dreams)
    second = office.submit("second", workers="auto")
    office.look_around()
    assert (office.errands[second].cores, office.errands[second].gpus) == (2, 1)
    office.uses(second, Use(cores=1, gpus=1, memory=1 << 30))
    third = office.submit("third", gpus_per_worker=2)
    office.look_around()
    assert office.started == [first, second]

    office.uses(first, writes)
    office.look_around()
    assert office.started == [first, second, third]
    # Whatever it says next, it was given no more than it was.
    office.uses(first, Use(cores=9, gpus=9, memory=99 << 30))
    assert office.scheduler.reap()
    assert not office.scheduler.reap()


def test_a_job_that_has_only_files_to_write_waits_for_no_gpu() -> None:
    office = Office(cores=4)
    office.whole = Share(4, (0, 1))
    dreams = office.submit("dreams", workers=2, gpus_per_worker=1)
    writes = office.submit("writes", workers=2, gpus_per_worker=1)
    waits = office.submit("waits", workers=1, gpus_per_worker=1)
    keys = JobKeys(writes)
    held = claim(office.store, keys, 0, "other:1", ttl=20)
    assert held is not None
    office.store.put(keys.status(1), status().model_copy(update={"phase": WRITING}).encoded())
    held.release()
    office.look_around()
    assert office.started == [dreams, writes]
    # Planned for the crew that began it, so that the same files come out; it has none.
    assert (office.errands[writes].cores, office.errands[writes].gpus) == (2, 2)
    office.uses(dreams, Use(cores=1, gpus=1, memory=1 << 30))
    office.look_around()
    assert office.started == [dreams, writes, waits]
