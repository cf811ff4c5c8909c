"""Reading jobs by few requests gives what a whole read gives."""

from typing import get_args

import pytest

from jobs.records.job import load_finished_job, load_job, load_job_lightly
from jobs.records.job_summary import summarize
from jobs.records.keys import JobKeys
from jobs.records.lease import Lease, current_lease, later_lease
from jobs.records.request import pause, useful_requests
from jobs.records.state import State
from jobs.text.errors import InvalidRecord, JobNotFound
from tests.support.counting_store import CountingStore
from tests.support.job_states import JOB, TTL, claim_next_lease, job_in_state, write_job

KEYS = JobKeys(JOB)


@pytest.fixture
def store() -> CountingStore:
    return CountingStore()


@pytest.mark.parametrize("state", get_args(State))
def test_a_light_read_is_a_whole_read(store: CountingStore, state: State) -> None:
    job_in_state(store, state)
    whole = load_job(store, JOB)
    store.forget()
    first = load_job_lightly(store, JOB)
    assert first == whole
    assert not store.listings
    store.forget()
    assert load_job_lightly(store, JOB, first) == whole
    assert not store.listings
    assert KEYS.spec not in store.reads


@pytest.mark.parametrize("leases", [0, 1, 3, 4, 5, 9])
@pytest.mark.parametrize("known", [0, 1, 2, 3])
def test_a_later_lease_is_the_highest(store: CountingStore, leases: int, known: int) -> None:
    write_job(store)
    for _ in range(leases):
        claim_next_lease(store, KEYS).release()
    store.now += 3
    store.forget()
    found = later_lease(store, KEYS, known)
    may_list = leases - known >= 4 or known > leases
    assert store.listings.total() <= may_list
    assert found == current_lease(store, KEYS)


def test_junk_in_an_earlier_lease_is_no_fault(store: CountingStore) -> None:
    write_job(store)
    for _ in range(2):
        claim_next_lease(store, KEYS).release()
    store.put(KEYS.lease(1), b"junk")
    assert later_lease(store, KEYS, 0) == current_lease(store, KEYS)
    store.put(KEYS.lease(2), b"junk")
    with pytest.raises(InvalidRecord):
        later_lease(store, KEYS, 0)


def test_a_job_that_came_back_has_leases_from_the_first_on(store: CountingStore) -> None:
    write_job(store)
    for _ in range(3):
        claim_next_lease(store, KEYS).release()
    known = load_job_lightly(store, JOB)
    store.delete([KEYS.lease(number) for number in (1, 2, 3)])
    store.put(KEYS.lease(1), Lease(token="t", holder="new", ttl=TTL).encode())
    found = load_job_lightly(store, JOB, known).current_lease
    assert found is not None
    assert (found.number, found.lease.holder) == (1, "new")


def test_a_finished_poster_takes_two_reads(store: CountingStore) -> None:
    job_in_state(store, "succeeded")
    store.forget()
    found = load_finished_job(store, JOB)
    assert store.reads == {KEYS.spec: 1, KEYS.manifest: 1}
    assert not store.listings
    assert found is not None
    assert found.state == "succeeded"
    assert summarize(found, ()) == summarize(load_job(store, JOB), ())


@pytest.mark.parametrize("state", sorted({*get_args(State)} - {"succeeded"}))
def test_other_jobs_are_not_finished(store: CountingStore, state: State) -> None:
    job_in_state(store, state)
    assert load_finished_job(store, JOB) is None


def test_a_dataset_is_never_finished_for_good(store: CountingStore) -> None:
    keys = job_in_state(store, "succeeded")
    store.put(keys.spec, store.get(keys.spec).replace(b'"spec":{}', b'"spec":{"kind":"dataset"}'))
    assert load_finished_job(store, JOB) is None


def test_no_job_is_no_job(store: CountingStore) -> None:
    for load in (load_job_lightly, load_finished_job):
        with pytest.raises(JobNotFound):
            load(store, JOB)


@pytest.mark.parametrize(
    ("state", "requests"),
    [
        ("queued", ("pause", "cancel")),
        ("running", ("pause", "cancel")),
        ("paused", ("resume", "cancel")),
        ("succeeded", ()),
        ("failed", ("retry",)),
        ("cancelled", ("retry",)),
    ],
)
def test_useful_requests_change_something(
    store: CountingStore, state: State, requests: tuple[str, ...]
) -> None:
    job_in_state(store, state)
    assert useful_requests(load_job(store, JOB)) == requests


def test_a_running_job_that_will_pause_can_be_resumed(store: CountingStore) -> None:
    job_in_state(store, "running")
    pause(store, JOB)
    assert useful_requests(load_job(store, JOB)) == ("resume", "cancel")
