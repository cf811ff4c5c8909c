"""Requests: in every state, each follows the table of transitions, or is refused."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import get_args

import pytest

from jobs.records.job import load_job
from jobs.records.keys import ACTIVE, active_marker
from jobs.records.lease import current_lease
from jobs.records.request import cancel, finish, limit, pause, resume, retry
from jobs.records.state import ENDED, TRANSITIONS, Intent, State, UserRequest
from jobs.text.errors import JobNotFound, RequestError
from tests.support.job_states import (
    JOB,
    claim_next_lease,
    fail_job,
    job_in_state,
    sample_status,
    write_job,
)
from tests.support.memory_store import Died, MemoryStore, MortalStore

REQUESTS = {"pause": pause, "resume": resume, "cancel": cancel, "retry": retry}

NO_CHANGE: set[tuple[State, UserRequest]] = {
    ("paused", "pause"),
    ("queued", "resume"),
    ("cancelled", "cancel"),
    ("queued", "retry"),
}


def markers(store: MemoryStore) -> list[str]:
    return [entry.key for entry in store.list_objects(ACTIVE)]


def expire_lease(store: MemoryStore) -> None:
    """Let the current lease expire, as if its holder obeyed the request."""
    held = current_lease(store, write_job(store))
    if held is not None:
        store.now += held.lease.ttl + 1


@pytest.mark.parametrize("state", get_args(State))
@pytest.mark.parametrize("request_", get_args(UserRequest))
def test_every_request_in_every_state(
    store: MemoryStore, state: State, request_: UserRequest
) -> None:
    job_in_state(store, state)
    before = load_job(store, JOB)
    rows = (row for row in TRANSITIONS if row.only_kind is None)
    targets = [row.after for row in rows if (row.before, row.action) == (state, request_)]
    if not targets and (state, request_) not in NO_CHANGE:
        with pytest.raises(RequestError, match=f"^{JOB}: is {state}; only .* jobs can be"):
            REQUESTS[request_](store, JOB)
        assert load_job(store, JOB) == before
        assert not markers(store)
        return
    state_after = REQUESTS[request_](store, JOB)

    assert state_after == load_job(store, JOB).state
    if state == "running":
        assert state_after == "running"
        expire_lease(store)
    wanted = targets[0] if targets else state
    assert load_job(store, JOB).state == ("queued" if wanted == "running" else wanted)
    assert load_job(store, JOB).intent.generation == (state in ENDED and request_ == "retry")


@pytest.mark.parametrize(
    ("state", "send", "line"),
    [
        ("succeeded", pause, "is succeeded; only queued or running jobs can be paused"),
        ("failed", resume, "is failed; only running or paused jobs can be resumed"),
        ("failed", cancel, "is failed; only queued, running or paused jobs can be cancelled"),
        ("paused", retry, "is paused; only failed or cancelled jobs can be retried"),
    ],
)
def test_rejection_lists_allowed_states(
    store: MemoryStore, state: State, send: object, line: str
) -> None:
    job_in_state(store, state)
    assert callable(send)
    with pytest.raises(RequestError) as error:
        send(store, JOB)
    assert str(error.value) == f"{JOB}: {line}"


def test_unknown_job(store: MemoryStore) -> None:
    for send in REQUESTS.values():
        with pytest.raises(JobNotFound):
            send(store, JOB)
    assert not store.objects


def test_request_for_a_running_job_can_be_withdrawn(store: MemoryStore) -> None:
    job_in_state(store, "running")
    for send in (pause, cancel):
        send(store, JOB)
        resume(store, JOB)
        assert load_job(store, JOB).intent == Intent()


def test_resume_writes_the_marker_of_its_generation(store: MemoryStore) -> None:
    keys = job_in_state(store, "paused")
    store.put(keys.intent, Intent(want="pause", generation=2).encode())
    resume(store, JOB)

    assert markers(store) == [active_marker(JOB, 2)]


def test_retry_writes_a_new_marker(store: MemoryStore) -> None:
    keys = job_in_state(store, "failed")
    store.put(active_marker(JOB, 0), b"")
    retry(store, JOB)
    store.delete([active_marker(JOB, 0)])

    assert markers(store) == [active_marker(JOB, 1)]
    fail_job(store, claim_next_lease(store, keys), generation=1)
    assert retry(store, JOB) == "queued"
    assert load_job(store, JOB).intent.generation == 2


@pytest.mark.parametrize("state", ["failed", "cancelled"])
@pytest.mark.parametrize("writes", [0, 1])
def test_interrupted_retry_is_completed_by_the_next(writes: int, state: State) -> None:
    store = MortalStore()
    job_in_state(store, state)
    store.writes_left = writes
    with pytest.raises(Died):
        retry(store, JOB)
    store.writes_left = None
    retry(store, JOB)

    assert load_job(store, JOB).state == "queued"
    assert load_job(store, JOB).intent.generation == 1
    assert markers(store) == [active_marker(JOB, 1)]


@pytest.mark.parametrize("state", ["queued", "running", "failed"])
def test_simultaneous_requests_leave_a_requested_state(state: State) -> None:
    for _ in range(10):
        store = MemoryStore()
        job_in_state(store, state)
        with ThreadPoolExecutor(4) as pool:
            futures = [pool.submit(send, store, JOB) for send in REQUESTS.values()]
        errors = [one.exception() for one in futures if one.exception()]

        assert all(isinstance(error, RequestError) for error in errors)
        assert len(errors) < len(futures)
        job = load_job(store, JOB)
        assert job.intent.generation <= 1
        if state == "failed" and job.state == "queued":
            assert markers(store) == [active_marker(JOB, 1)]


@pytest.mark.parametrize("go_on", [resume, finish])
def test_a_draft_waits_for_its_user(store: MemoryStore, go_on: Callable[..., State]) -> None:
    keys = write_job(store)
    limit(store, load_job(store, JOB), 2)
    assert load_job(store, JOB).state == "queued"
    held = claim_next_lease(store, keys)
    status = sample_status().model_copy(update={"drafted": 2})
    store.put(keys.status(held.number), status.encode())
    held.release()
    assert load_job(store, JOB).state == "paused"
    limit(store, load_job(store, JOB), 3)
    assert load_job(store, JOB).state == "queued"
    limit(store, load_job(store, JOB), 2)
    assert go_on(store, JOB) == "queued"
    assert load_job(store, JOB).intent == Intent()
    assert markers(store)


def test_a_resume_keeps_the_limit_of_a_draft_that_is_not_complete(store: MemoryStore) -> None:
    write_job(store)
    limit(store, load_job(store, JOB), 2)
    pause(store, JOB)
    assert resume(store, JOB) == "queued"
    assert load_job(store, JOB).intent.until == 2
