"""Which jobs a scheduler starts, preempts, or leaves alone."""

import errno
import itertools
import signal
import tempfile
from pathlib import Path

import pytest

from jobs.records.job import load_job
from jobs.records.keys import ACTIVE, JobKeys, active_marker
from jobs.records.lease import claim_lease
from jobs.records.request import cancel, pause, retry
from jobs.runtime.lease_renewer import EXIT_STOPPED
from jobs.runtime.metrics.snapshot import ResourceUse
from jobs.runtime.reporter import WRITING
from jobs.services.scheduler.capacity import ResourceShare
from jobs.services.scheduler.coordinator import UNFIT
from jobs.store.errors import NotAnObject, StoreRefused, StoreUnreachable
from jobs.store.store import MAX_READ_BYTES
from tests.support.job_states import sample_status
from tests.support.scheduler_harness import CountingStore, SchedulerHarness


@pytest.fixture
def harness() -> SchedulerHarness:
    return SchedulerHarness()


def markers(harness: SchedulerHarness) -> list[str]:
    return [entry.key.removeprefix(ACTIVE) for entry in harness.store.list_objects(ACTIVE)]


def test_higher_priority_starts_first_then_older_jobs(harness: SchedulerHarness) -> None:
    jobs = [harness.submit("a"), harness.submit("b", priority=60), harness.submit("c")]
    harness.scan()
    assert harness.started == [jobs[1], jobs[0]]
    harness.end(jobs[1])
    harness.scan()
    assert harness.started == [jobs[1], jobs[0], jobs[2]]


@pytest.mark.parametrize("full", ["the temporary folder", "the table of processes"])
def test_a_machine_that_cannot_start_a_job_tries_again(
    harness: SchedulerHarness, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, full: str
) -> None:
    job, error = harness.submit("a"), OSError(errno.ENOSPC, "No space left on device")

    def no_folder(**_: object) -> str:
        raise error

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with monkeypatch.context() as patch:
        if full == "the temporary folder":
            patch.setattr(tempfile, "mkdtemp", no_folder)
        else:
            harness.start_error = error
        assert not harness.scan()
    assert load_job(harness.store, job).state == "queued"
    assert harness.messages == [
        f"{job}: cannot be started here ([Errno 28] No space left on device); trying again"
    ]
    assert list(tmp_path.iterdir()) == []

    harness.start_error = None
    harness.scan()
    assert harness.started == [], "it waits before it tries again"
    harness.now += 2
    harness.scan()
    assert harness.started == [job]


def test_a_store_that_fails_at_a_claim_leaves_no_folder(
    harness: SchedulerHarness, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    harness.submit("a")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def fail(*_: object) -> bool:
        raise StoreUnreachable("the store is away")

    with monkeypatch.context() as patch:
        patch.setattr(harness.store, "put_if_absent", fail)
        patch.setattr(harness.store, "put", fail)
        assert not harness.scan()
    assert list(tmp_path.iterdir()) == []


def test_a_job_waits_until_its_resources_are_free(harness: SchedulerHarness) -> None:
    small, large = harness.submit("small"), harness.submit("large", workers=2)
    harness.scan()
    assert harness.started == [small]
    harness.end(small)
    harness.scan()
    assert harness.started == [small, large]
    assert harness.configs[large].cores == 2


def test_more_workers_than_cores_start_at_once(harness: SchedulerHarness) -> None:
    job = harness.submit("many", workers=5)
    harness.scan()
    assert harness.started == [job]


def test_a_job_of_lower_priority_is_preempted(harness: SchedulerHarness) -> None:
    low = harness.submit("low", priority=10, workers=2)
    harness.scan()
    high = harness.submit("high", priority=90)
    harness.scan()
    harness.scan()
    assert harness.processes[low].signals == [signal.SIGUSR1]

    harness.end(low, manifest=False)
    harness.scan()
    assert harness.started == [low, high]


def test_a_job_of_equal_priority_is_not_preempted(harness: SchedulerHarness) -> None:
    first = harness.submit("first", workers=2)
    harness.scan()
    harness.submit("second")
    harness.scan()
    assert harness.processes[first].signals == []


def test_an_idle_scheduler_sends_one_request_a_poll(harness: SchedulerHarness) -> None:
    for name in "abc":
        harness.submit(name)
    for _ in range(3):
        harness.scan()
        for job in harness.started:
            harness.end(job)
    assert harness.scan()
    assert markers(harness) == []

    harness.store.requests.clear()
    assert harness.scan()
    assert harness.store.requests == {"list": 1}


def test_the_lease_of_a_dead_coordinator_is_released_and_its_job_waits(
    harness: SchedulerHarness,
) -> None:
    job = harness.submit("a")
    harness.scan()
    harness.end(job, code=-9, manifest=False)
    harness.scan()
    current_lease = load_job(harness.store, job).current_lease
    assert current_lease is not None
    assert current_lease.lease.released
    assert harness.started == [job]

    harness.now += 2
    harness.scan()
    assert harness.started == [job, job]
    assert harness.configs[job].lease_number == 2


def test_a_job_that_keeps_failing_is_retried_ever_later(harness: SchedulerHarness) -> None:
    job = harness.submit("a")
    tried = []
    for second in range(200):
        harness.now = float(second)
        harness.scan()
        if harness.processes[job].returncode is None:
            tried.append(second)
            harness.end(job, code=EXIT_STOPPED, manifest=False)
    gaps = [after - before for before, after in itertools.pairwise(tried)]
    assert gaps == sorted(gaps)
    assert len(tried) >= 6
    assert max(gaps) <= 61


def test_an_unfit_job_is_left_alone(harness: SchedulerHarness) -> None:
    job = harness.submit("a")
    harness.scan()
    harness.end(job, code=UNFIT, manifest=False)
    harness.now += 100
    assert harness.scan()
    assert harness.started == [job]
    assert markers(harness) == [job]


def test_an_expired_lease_is_not_claimed_at_once(harness: SchedulerHarness) -> None:
    """After an outage of the store, the holder is alive and may still renew it."""
    job = harness.submit("a")
    held = claim_lease(harness.store, JobKeys(job), 0, "other:1", ttl=20)
    assert held is not None
    assert not harness.scan()
    harness.store.now += 21
    harness.scan()
    harness.now += 9
    harness.scan()
    assert harness.started == []
    held.renew()
    harness.now += 9
    harness.scan()
    assert harness.started == []
    harness.store.now += 21
    harness.scan()
    harness.now += 11
    harness.scan()
    assert harness.started == [job]


@pytest.mark.parametrize("content", [b"something else", bytes(MAX_READ_BYTES + 1)])
def test_an_invalid_spec_is_reported_once_and_left_alone(
    harness: SchedulerHarness, content: bytes
) -> None:
    alien = "theirs-0123456789ab"
    harness.store.put(JobKeys(alien).spec, content)
    harness.store.put(active_marker(alien, 0), b"")
    job = harness.submit("a")
    harness.scan()
    harness.scan()
    assert harness.started == [job]
    assert len([line for line in harness.messages if alien in line]) == 1
    assert alien in markers(harness)


def test_markers_of_deleted_and_ended_jobs_are_removed(harness: SchedulerHarness) -> None:
    harness.store.put(active_marker("gone-0123456789ab", 0), b"")
    ended = harness.submit("ended")
    cancel(harness.store, ended)
    assert harness.scan()
    assert markers(harness) == []


def test_a_retried_job_with_an_old_marker_starts_once(harness: SchedulerHarness) -> None:
    job = harness.submit("a")
    cancel(harness.store, job)
    retry(harness.store, job)
    harness.store.put(active_marker(job, 0), b"")
    harness.store.delete([active_marker(job, 1)])
    harness.scan()
    harness.scan()
    assert harness.started == [job]
    assert markers(harness) == [f"{job}@1"]


def test_paused_jobs_do_not_start(harness: SchedulerHarness) -> None:
    job = harness.submit("a")
    pause(harness.store, job)
    assert harness.scan()
    assert harness.started == []
    assert markers(harness) == [job]


def test_on_a_cluster_an_oversized_job_waits_for_machines_and_blocks_no_other() -> None:
    harness = SchedulerHarness(cores=0, is_fixed=False)
    large, small = harness.submit("large", gpus_per_worker=1), harness.submit("small")
    assert not harness.scan()
    harness.capacity = ResourceShare(2)
    harness.scan()
    assert harness.started == [small]
    assert sum(large in line for line in harness.messages) == 1
    harness.capacity = ResourceShare(2, (0,))
    harness.scan()
    assert harness.started == [small, large]


def test_no_job_overtakes_one_that_waits_for_resources(harness: SchedulerHarness) -> None:
    first = harness.submit("first")
    harness.scan()
    large = harness.submit("large", workers=2)
    for name in "xyz":
        harness.submit(name)
        harness.scan()
    assert harness.started == [first]
    harness.end(first)
    harness.scan()
    assert harness.started == [first, large]


def test_preempted_resources_go_to_the_waiting_job(harness: SchedulerHarness) -> None:
    low = [harness.submit("a", priority=10), harness.submit("b", priority=10)]
    harness.scan()
    high = harness.submit("high", priority=90, workers=2)
    for _ in range(2):
        harness.scan()
        for job in low:
            if harness.processes[job].signals:
                harness.end(job, manifest=False)
    harness.scan()
    assert harness.started == [*low, high]


def test_an_oversized_job_neither_blocks_nor_preempts_others(harness: SchedulerHarness) -> None:
    low = harness.submit("low", priority=10, workers=2)
    harness.scan()
    harness.submit("greedy", priority=90, gpus_per_worker=1)
    harness.scan()
    assert harness.processes[low].signals == []
    harness.end(low)
    assert harness.scan()
    assert harness.started == [low]


def test_new_run_settings_are_tried_again(harness: SchedulerHarness) -> None:
    harness.submit("greedy", gpus_per_worker=1)
    assert harness.scan()
    modest = harness.submit("greedy")
    assert not harness.scan()
    assert harness.started == [modest]


def test_a_job_keeps_only_what_its_crew_uses() -> None:
    harness = SchedulerHarness(cores=4)
    first = harness.submit("first", workers="auto")
    harness.scan()
    second = harness.submit("second", workers="auto")
    harness.scan()
    assert harness.started == [first]
    assert (harness.configs[first].cores, harness.configs[first].memory) == (4, 8 << 30)

    harness.use_resources(first, ResourceUse(cores=1, gpus=0, memory=3 << 30))
    assert harness.scheduler.reap()
    harness.scan()
    assert harness.started == [first, second]
    # The first job keeps the cores that its memory corresponds to.
    assert (harness.configs[second].cores, harness.configs[second].memory) == (2, 4 << 30)


def test_released_resources_go_to_others_at_once() -> None:
    harness = SchedulerHarness(cores=4)
    harness.capacity = ResourceShare(4, (0, 1, 2))
    dreams, writes = (
        ResourceUse(cores=2, gpus=2, memory=1 << 30),
        ResourceUse(cores=1, gpus=0, memory=1 << 30),
    )
    first = harness.submit("first", workers="auto")
    harness.scan()
    harness.use_resources(first, dreams)
    second = harness.submit("second", workers="auto")
    harness.scan()
    assert (harness.configs[second].cores, harness.configs[second].gpus) == (2, 1)
    harness.use_resources(second, ResourceUse(cores=1, gpus=1, memory=1 << 30))
    third = harness.submit("third", gpus_per_worker=2)
    harness.scan()
    assert harness.started == [first, second]

    harness.use_resources(first, writes)
    harness.scan()
    assert harness.started == [first, second, third]
    # A job never keeps more than it was granted.
    harness.use_resources(first, ResourceUse(cores=9, gpus=9, memory=99 << 30))
    assert harness.scheduler.reap()
    assert not harness.scheduler.reap()


def test_a_job_with_only_files_left_waits_for_no_gpu() -> None:
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
    harness.scan()
    assert harness.started == [dreams, writes]
    # Planned for the crew that began it, so that the files are the same. It starts no crew.
    assert (harness.configs[writes].cores, harness.configs[writes].gpus) == (2, 2)
    harness.use_resources(dreams, ResourceUse(cores=1, gpus=1, memory=1 << 30))
    harness.scan()
    assert harness.started == [dreams, writes, waits]


class RefusesClaims(CountingStore):
    """Raises `error` at the claim of a lease."""

    error: Exception | None = None

    def put_if_absent(self, key: str, content: bytes) -> bool:
        if self.error is not None and "/leases/" in key:
            raise self.error
        return super().put_if_absent(key, content)


@pytest.mark.parametrize(
    ("kind", "is_tried_again"),
    [(StoreRefused, True), (StoreUnreachable, True), (NotAnObject, False)],
)
def test_a_claim_that_the_store_refuses_is_tried_again_later(
    kind: type[Exception], is_tried_again: bool
) -> None:
    store = RefusesClaims()
    harness = SchedulerHarness(store=store)
    job = harness.submit("a")
    store.error = kind("a line")
    assert harness.scan() != is_tried_again
    assert harness.started == []

    store.error = None
    harness.now += 60
    harness.scan()
    assert harness.started == ([job] if is_tried_again else [])
