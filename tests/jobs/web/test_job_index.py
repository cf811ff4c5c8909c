"""All jobs of a store: how they become known, and by how many requests."""

import pytest

from jobs.records.keys import ACTIVE, JOBS, JobKeys, active_marker
from jobs.records.request import cancel, pause, retry
from jobs.store.errors import StoreUnreachable
from jobs.store.store import Store
from jobs.web.job_index import JobFilter, JobIndex
from jobs.web.job_reader import Entry, read_entry
from jobs.web.models import IndexView, JobView
from tests.support.counting_store import CountingStore
from tests.support.stored_jobs import (
    finish_job,
    job_name,
    run_job,
    write_finished_job,
    write_open_job,
)

ALL = JobFilter()


class RecordingListener:
    """Hears what changes."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def job_changed(self, job: JobView) -> None:
        self.heard.append(f"{job.job} {job.state}")

    def job_removed(self, job: str) -> None:
        self.heard.append(f"{job} removed")

    def index_grew(self, index: IndexView) -> None:
        self.heard.append(f"index {index.known} of {index.of}")

    def taken(self) -> list[str]:
        heard, self.heard = self.heard, []
        return heard


@pytest.fixture
def listener() -> RecordingListener:
    return RecordingListener()


@pytest.fixture
def index(store: CountingStore, listener: RecordingListener) -> JobIndex:
    return JobIndex(store, listener)


def listed(index: JobIndex) -> list[str]:
    return [one.job for one in index.page(ALL, None, 200).jobs]


def test_a_refresh_of_a_large_store_makes_one_listing(
    store: CountingStore, index: JobIndex
) -> None:
    """10,000 jobs have ended, and 20 are open."""
    for number in range(10_000):
        write_finished_job(store, job_name(number, "old"))
    for number in range(20):
        keys = write_open_job(store, job_name(number))
        if number < 10:
            run_job(store, keys)
    store.forget()
    index.refresh()
    assert store.listings == {ACTIVE: 1}, "and none for each job"
    assert len(listed(index)) == 20

    store.forget()
    index.scan()
    assert store.listings == {JOBS: 1}
    assert store.reads.total() == 2 * 10_000, "two reads for each job that has ended"
    page = index.page(ALL, None, 50)
    assert (page.matching, len(page.jobs), page.index.complete) == (10_020, 50, True)

    store.forget()
    index.refresh()
    assert store.listings == {ACTIVE: 1}
    assert store.reads.total() <= 20 * 6
    assert not [key for key in store.reads if "old-" in key]

    store.forget()
    index.page(JobFilter(name="old-00000000"), None, 200)
    index.scan()
    assert store.listings == {JOBS: 1}
    assert not store.reads, "a job that has ended is read once"


def test_changes_are_told_once(
    store: CountingStore, index: JobIndex, listener: RecordingListener
) -> None:
    keys = write_open_job(store, job_name(1))
    index.refresh()
    assert listener.taken() == [f"{keys.job} queued"]
    index.refresh()
    assert listener.taken() == []
    run_job(store, keys)
    index.refresh()
    assert listener.taken() == [f"{keys.job} running"]
    finish_job(store, keys)
    index.refresh()
    assert listener.taken() == [f"{keys.job} succeeded"]
    store.forget()
    index.refresh()
    assert not store.reads


def test_a_later_lease_is_seen(store: CountingStore, index: JobIndex) -> None:
    keys = write_open_job(store, job_name(1))
    run_job(store, keys).release()
    index.refresh()
    run_job(store, keys, progress=0.9)
    index.refresh()
    (view,) = index.open_views()
    assert (view.state, view.lease, view.progress) == ("running", 2, 0.9)


def test_an_ended_job_that_is_retried_is_open_again(
    store: CountingStore, index: JobIndex, listener: RecordingListener
) -> None:
    keys = write_open_job(store, job_name(1))
    cancel(store, keys.job)
    store.delete([active_marker(keys.job, 0)])
    index.scan()
    assert not index.open_views()
    retry(store, keys.job)
    listener.taken()
    index.refresh()
    assert listener.taken() == [f"{keys.job} queued"]
    assert [one.job for one in index.open_views()] == [keys.job]


def test_deleted_jobs_are_forgotten(
    store: CountingStore, index: JobIndex, listener: RecordingListener
) -> None:
    ended, waiting = write_finished_job(store, job_name(1)), write_open_job(store, job_name(2))
    index.refresh()
    index.scan()
    for keys in (ended, waiting):
        store.delete([key for key in store.objects if keys.job in key])
    listener.taken()
    index.refresh()
    assert listener.taken() == [f"{waiting.job} removed"]
    index.scan()
    assert listener.taken()[0] == f"{ended.job} removed"
    assert listed(index) == []


def test_a_job_keeps_its_place_when_it_changes(store: CountingStore, index: JobIndex) -> None:
    first = write_open_job(store, job_name(1))
    store.now += 100
    write_open_job(store, job_name(2))
    index.refresh()
    run_job(store, first)
    index.refresh()
    assert listed(index) == [job_name(2), job_name(1)]


def test_of_many_waiting_jobs_each_is_read_in_turn(store: CountingStore, index: JobIndex) -> None:
    for number in range(300):
        write_open_job(store, job_name(number))
    index.refresh()
    seen: set[str] = set()
    for _ in range(6):
        store.forget()
        index.refresh()
        read = {key.split("/")[1] for key in store.reads if key.startswith(JOBS)}
        assert len(read) <= 64
        seen |= read
    assert len(seen) == 300


def test_running_jobs_are_read_in_each_refresh(store: CountingStore, index: JobIndex) -> None:
    for number in range(200):
        keys = write_open_job(store, job_name(number))
        if number == 150:
            run_job(store, keys)
    index.refresh()
    for _ in range(5):
        store.forget()
        index.refresh()
        assert store.reads[JobKeys(job_name(150)).status(1)] == 1


def test_a_refresh_that_is_young_enough_is_shared(
    store: CountingStore, listener: RecordingListener
) -> None:
    now = [0.0]
    index = JobIndex(store, listener, lambda: now[0])
    for now[0] in (0.0, 1.0, 1.9):
        index.refresh(2.0)
    assert store.listings[ACTIVE] == 1
    now[0] = 2.1
    index.refresh(2.0)
    assert store.listings[ACTIVE] == 2


def test_a_silent_store_is_an_error_and_forgets_nothing(
    store: CountingStore, index: JobIndex
) -> None:
    write_open_job(store, job_name(1))
    index.refresh()
    store.is_down = True
    for act in (index.refresh, index.scan):
        with pytest.raises(StoreUnreachable):
            act()
    assert listed(index) == [job_name(1)]


def test_a_refresh_does_not_put_back_what_a_request_has_changed_meanwhile(
    store: CountingStore,
    index: JobIndex,
    listener: RecordingListener,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys = write_open_job(store, job_name(1))
    index.refresh()

    def read_slowly(store: Store, job: str, known: Entry | None) -> Entry:
        entry = read_entry(store, job, known)
        pause(store, job)
        index.reload(job)
        return entry

    # The default of an argument is bound when the method is made.
    monkeypatch.setattr(JobIndex._read_all, "__defaults__", (read_slowly,))
    listener.taken()
    index.refresh()
    assert listener.taken() == [f"{keys.job} paused"]
    (view,) = index.open_views()
    assert view.state == "paused"
