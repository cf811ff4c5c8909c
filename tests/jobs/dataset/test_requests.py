"""Retrying the failed items of a dataset. Posters have no items."""

from typing import Any

import pytest

from jobs.dataset.inputs.index import job_items
from jobs.records.job import load_job
from jobs.records.keys import ACTIVE, JobKeys, active_marker
from jobs.records.request import retry
from jobs.records.state import Intent, Redo, State
from jobs.records.status import parse_failure
from jobs.records.stored_spec import StoredSpec
from jobs.text.errors import RequestError
from tests.support.job_states import JOB, claim_next_lease, fail_job, job_in_state
from tests.support.memory_store import MemoryStore

INPUT = Redo(failure="input")


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def dataset_in(store: MemoryStore, state: State) -> JobKeys:
    keys = job_in_state(store, state)
    spec = StoredSpec.read(store, keys.spec)
    store.put(keys.spec, spec.model_copy(update={"spec": {"kind": "dataset"}}).encode())
    return keys


@pytest.mark.parametrize("state", ["succeeded", "failed", "cancelled"])
@pytest.mark.parametrize(("requested", "redo"), [(None, Redo()), (Redo(), Redo()), (INPUT, INPUT)])
def test_an_ended_dataset_is_retried_in_a_new_generation(
    store: MemoryStore, state: State, requested: Redo | None, redo: Redo
) -> None:
    dataset_in(store, state)

    assert retry(store, JOB, requested) == "queued"
    assert load_job(store, JOB).state == "queued"
    assert load_job(store, JOB).intent == Intent(generation=1, redo=redo)
    assert [entry.key for entry in store.list_objects(ACTIVE)] == [active_marker(JOB, 1)]


def test_a_dataset_can_be_retried_twice(store: MemoryStore) -> None:
    keys = dataset_in(store, "succeeded")
    retry(store, JOB)
    held = claim_next_lease(store, keys)
    # The manifest of an earlier generation does not count.
    assert load_job(store, JOB).state == "running"
    store.put(keys.manifest_of(1), b"{}")
    held.release()

    assert load_job(store, JOB).state == "succeeded"
    assert retry(store, JOB, INPUT) == "queued"
    assert load_job(store, JOB).intent == Intent(generation=2, redo=INPUT)


def test_a_second_retry_does_not_change_a_waiting_one(store: MemoryStore) -> None:
    dataset_in(store, "failed")
    retry(store, JOB, INPUT)
    retry(store, JOB)

    assert load_job(store, JOB).intent == Intent(generation=1, redo=INPUT)


@pytest.mark.parametrize("state", ["running", "paused"])
def test_a_dataset_that_has_not_ended_is_not_retried(store: MemoryStore, state: State) -> None:
    dataset_in(store, state)
    with pytest.raises(RequestError) as error:
        retry(store, JOB, INPUT)
    assert str(error.value) == (
        f"{JOB}: is {state}; only failed, cancelled or succeeded jobs can be retried"
    )


@pytest.mark.parametrize("redo", [Redo(), INPUT])
def test_a_poster_has_no_items(store: MemoryStore, redo: Redo) -> None:
    keys = job_in_state(store, "queued")
    fail_job(store, claim_next_lease(store, keys))
    with pytest.raises(RequestError) as error:
        retry(store, JOB, redo)
    assert str(error.value) == f"{JOB}: is a poster, which has no items; retry the whole job"
    assert load_job(store, JOB).intent == Intent()

    with pytest.raises(RequestError, match=f"which has no items; `dreamfarm show {JOB}`"):
        job_items(store, load_job(store, JOB))


def test_a_dataset_without_a_listing_has_no_items(store: MemoryStore) -> None:
    dataset_in(store, "queued")
    assert job_items(store, load_job(store, JOB)).item_count == 0


@pytest.mark.parametrize("text", ["infra", "memory", "input", "bug", None])
def test_the_classes_of_failures(text: Any) -> None:
    assert parse_failure(text) == text


@pytest.mark.parametrize(
    ("text", "hint"), [("inputs", "nearest: input"), ("zzz", "known: bug, infra, input, memory")]
)
def test_an_unknown_failure_class_is_an_error_with_a_suggestion(text: str, hint: str) -> None:
    with pytest.raises(RequestError) as error:
        parse_failure(text)
    assert hint in str(error.value)
    assert str(error.value).startswith(f"{text}: no such failure class; ")
