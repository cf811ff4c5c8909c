"""Which job a scheduler takes, and what it does with those that it cannot."""

import itertools
import signal

import pytest

from jobs.records.job import load_job
from jobs.records.keys import ACTIVE, JobKeys, active_marker
from jobs.records.lease import claim_lease
from jobs.records.request import cancel, pause, retry
from jobs.runtime.lease_renewer import EXIT_STOPPED
from jobs.runtime.metrics.counters import ResourceUse
from jobs.runtime.reporter import WRITING
from jobs.services.scheduler.capacity import ResourceShare
from jobs.services.scheduler.coordinator import UNFIT
from jobs.store.store import MAX_WHOLE_READ
from tests.support.job_states import sample_status
from tests.support.scheduler_harness import SchedulerHarness


@pytest.fixture
def harness() -> SchedulerHarness:
    return SchedulerHarness()


def markers(harness: SchedulerHarness) -> list[str]:
    return [entry.key.removeprefix(ACTIVE) for entry in harness.store.list_objects(ACTIVE)]


def test_the_more_important_goes_first_then_the_older(harness: SchedulerHarness) -> None:
    jobs = [harness.submit("a"), harness.submit("b", priority=60), harness.submit("c")]
    harness.look_around()
    assert harness.started == [jobs[1], jobs[0]]
    harness.end(jobs[1])
    harness.look_around()
    assert harness.started == [jobs[1], jobs[0], jobs[2]]


def test_a_job_waits_until_it_has_the_room_that_it_asks_for(harness: SchedulerHarness) -> None:
    small, large = harness.submit("small"), harness.submit("large", workers=2)
    harness.look_around()
    assert harness.started == [small]
    harness.end(small)
    harness.look_around()
    assert harness.started == [small, large]
    assert harness.configs[large].cores == 2


def test_more_workers_than_cores_start_at_once(harness: SchedulerHarness) -> None:
    job = harness.submit("many", workers=5)
    harness.look_around()
    assert harness.started == [job]


def test_the_less_important_steps_aside(harness: SchedulerHarness) -> None:
    low = harness.submit("low", priority=10, workers=2)
    harness.look_around()
    high = harness.submit("high", priority=90)
    harness.look_around()
    harness.look_around()
    assert harness.processes[low].signals == [signal.SIGUSR1]

    harness.end(low, manifest=False)
    harness.look_around()
    assert harness.started == [low, high]


def test_the_equally_important_does_not_step_aside(harness: SchedulerHarness) -> None:
    first = harness.submit("first", workers=2)
    harness.look_around()
    harness.submit("second")
    harness.look_around()
    assert harness.processes[first].signals == []


def test_an_idle_scheduler_asks_once_a_poll(harness: SchedulerHarness) -> None:
    for name in "abc":
        harness.submit(name)
    for _ in range(3):
        harness.look_around()
        for job in harness.started:
            harness.end(job)
    assert harness.look_around()
    assert markers(harness) == []

    harness.store.asked.clear()
    assert harness.look_around()
    assert harness.store.asked == {"list": 1}


def test_one_that_dies_gives_its_lease_back_and_is_not_tried_again_at_once(
    harness: SchedulerHarness,
) -> None:
    job = harness.submit("a")
    harness.look_around()
    harness.end(job, code=-9, manifest=False)
    harness.look_around()
    current_lease = load_job(harness.store, job).current_lease
    assert current_lease is not None
    assert current_lease.lease.released
    assert harness.started == [job]

    harness.now += 2
    harness.look_around()
    assert harness.started == [job, job]
    assert harness.configs[job].number == 2


def test_what_keeps_failing_is_tried_less_and_less(harness: SchedulerHarness) -> None:
    job = harness.submit("a")
    tried = []
    for second in range(200):
        harness.now = float(second)
        harness.look_around()
        if harness.processes[job].returncode is None:
            tried.append(second)
            harness.end(job, code=EXIT_STOPPED, manifest=False)
    gaps = [after - before for before, after in itertools.pairwise(tried)]
    assert gaps == sorted(gaps)
    assert len(tried) >= 6
    assert max(gaps) <= 61


def test_a_job_for_another_kind_of_machine_is_left_alone(harness: SchedulerHarness) -> None:
    job = harness.submit("a")
    harness.look_around()
    harness.end(job, code=UNFIT, manifest=False)
    harness.now += 100
    assert harness.look_around()
    assert harness.started == [job]
    assert markers(harness) == [job]


def test_a_lease_that_ran_out_is_claimed_after_a_moment_only(harness: SchedulerHarness) -> None:
    """After an outage of the store the holder is alive, and renews it first."""
    job = harness.submit("a")
    held = claim_lease(harness.store, JobKeys(job), 0, "other:1", ttl=20)
    assert held is not None
    assert not harness.look_around()
    harness.store.now += 21
    harness.look_around()
    harness.now += 9
    harness.look_around()
    assert harness.started == []
    held.renew()
    harness.now += 9
    harness.look_around()
    assert harness.started == []
    harness.store.now += 21
    harness.look_around()
    harness.now += 11
    harness.look_around()
    assert harness.started == [job]


@pytest.mark.parametrize("content", [b"something else", bytes(MAX_WHOLE_READ + 1)])
def test_what_is_no_spec_is_reported_once_and_left_alone(
    harness: SchedulerHarness, content: bytes
) -> None:
    alien = "theirs-0123456789ab"
    harness.store.put(JobKeys(alien).spec, content)
    harness.store.put(active_marker(alien, 0), b"")
    job = harness.submit("a")
    harness.look_around()
    harness.look_around()
    assert harness.started == [job]
    assert len([line for line in harness.messages if alien in line]) == 1
    assert alien in markers(harness)


def test_markers_of_deleted_and_of_ended_jobs_go(harness: SchedulerHarness) -> None:
    harness.store.put(active_marker("gone-0123456789ab", 0), b"")
    ended = harness.submit("ended")
    cancel(harness.store, ended)
    assert harness.look_around()
    assert markers(harness) == []


def test_a_retry_that_meets_an_old_marker_is_found_once(harness: SchedulerHarness) -> None:
    job = harness.submit("a")
    cancel(harness.store, job)
    retry(harness.store, job)
    harness.store.put(active_marker(job, 0), b"")
    harness.store.delete([active_marker(job, 1)])
    harness.look_around()
    harness.look_around()
    assert harness.started == [job]
    assert markers(harness) == [f"{job}@1"]


def test_paused_jobs_are_nothing_to_do(harness: SchedulerHarness) -> None:
    job = harness.submit("a")
    pause(harness.store, job)
    assert harness.look_around()
    assert harness.started == []
    assert markers(harness) == [job]


def test_on_a_cluster_what_is_too_large_waits_for_machines_and_keeps_nobody_waiting() -> None:
    harness = SchedulerHarness(cores=0, is_fixed=False)
    large, small = harness.submit("large", gpus_per_worker=1), harness.submit("small")
    assert not harness.look_around()
    harness.capacity = ResourceShare(2)
    harness.look_around()
    assert harness.started == [small]
    assert sum(large in line for line in harness.messages) == 1
    harness.capacity = ResourceShare(2, (0,))
    harness.look_around()
    assert harness.started == [small, large]


def test_nobody_overtakes_one_that_waits_for_more_room(harness: SchedulerHarness) -> None:
    first = harness.submit("first")
    harness.look_around()
    large = harness.submit("large", workers=2)
    for name in "xyz":
        harness.submit(name)
        harness.look_around()
    assert harness.started == [first]
    harness.end(first)
    harness.look_around()
    assert harness.started == [first, large]


def test_the_room_that_was_made_is_kept_for_whom_it_was_made(harness: SchedulerHarness) -> None:
    low = [harness.submit("a", priority=10), harness.submit("b", priority=10)]
    harness.look_around()
    high = harness.submit("high", priority=90, workers=2)
    for _ in range(2):
        harness.look_around()
        for job in low:
            if harness.processes[job].signals:
                harness.end(job, manifest=False)
    harness.look_around()
    assert harness.started == [*low, high]


def test_what_never_fits_keeps_nobody_waiting_and_evicts_nobody(harness: SchedulerHarness) -> None:
    low = harness.submit("low", priority=10, workers=2)
    harness.look_around()
    harness.submit("greedy", priority=90, gpus_per_worker=1)
    harness.look_around()
    assert harness.processes[low].signals == []
    harness.end(low)
    assert harness.look_around()
    assert harness.started == [low]


def test_other_terms_are_another_try(harness: SchedulerHarness) -> None:
    harness.submit("greedy", gpus_per_worker=1)
    assert harness.look_around()
    modest = harness.submit("greedy")
    assert not harness.look_around()
    assert harness.started == [modest]


def test_a_job_holds_no_more_than_its_crew_asks_for() -> None:
    harness = SchedulerHarness(cores=4)
    first = harness.submit("first", workers="auto")
    harness.look_around()
    second = harness.submit("second", workers="auto")
    harness.look_around()
    assert harness.started == [first]
    assert (harness.configs[first].cores, harness.configs[first].memory) == (4, 8 << 30)

    harness.use_resources(first, ResourceUse(cores=1, gpus=0, memory=3 << 30))
    assert harness.scheduler.reap()
    harness.look_around()
    assert harness.started == [first, second]
    # The first one keeps the cores for which its memory stands.
    assert (harness.configs[second].cores, harness.configs[second].memory) == (2, 4 << 30)


def test_what_a_job_lets_go_of_others_get_at_once() -> None:
    harness = SchedulerHarness(cores=4)
    harness.capacity = ResourceShare(4, (0, 1, 2))
    dreams, writes = (
        ResourceUse(cores=2, gpus=2, memory=1 << 30),
        ResourceUse(cores=1, gpus=0, memory=1 << 30),
    )
    first = harness.submit("first", workers="auto")
    harness.look_around()
    harness.use_resources(first, dreams)
    second = harness.submit("second", workers="auto")
    harness.look_around()
    assert (harness.configs[second].cores, harness.configs[second].gpus) == (2, 1)
    harness.use_resources(second, ResourceUse(cores=1, gpus=1, memory=1 << 30))
    third = harness.submit("third", gpus_per_worker=2)
    harness.look_around()
    assert harness.started == [first, second]

    harness.use_resources(first, writes)
    harness.look_around()
    assert harness.started == [first, second, third]
    # Whatever it says next, it was given no more than it was.
    harness.use_resources(first, ResourceUse(cores=9, gpus=9, memory=99 << 30))
    assert harness.scheduler.reap()
    assert not harness.scheduler.reap()


def test_a_job_that_has_only_files_to_write_waits_for_no_gpu() -> None:
    harness = SchedulerHarness(cores=4)
    harness.capacity = ResourceShare(4, (0, 1))
    dreams = harness.submit("dreams", workers=2, gpus_per_worker=1)
    writes = harness.submit("writes", workers=2, gpus_per_worker=1)
    waits = harness.submit("waits", workers=1, gpus_per_worker=1)
    keys = JobKeys(writes)
    held = claim_lease(harness.store, keys, 0, "other:1", ttl=20)
    assert held is not None
    harness.store.put(
        keys.status(1), sample_status().model_copy(update={"phase": WRITING}).encode()
    )
    held.release()
    harness.look_around()
    assert harness.started == [dreams, writes]
    # Planned for the crew that began it, so that the same files come out; it has none.
    assert (harness.configs[writes].cores, harness.configs[writes].gpus) == (2, 2)
    harness.use_resources(dreams, ResourceUse(cores=1, gpus=1, memory=1 << 30))
    harness.look_around()
    assert harness.started == [dreams, writes, waits]
