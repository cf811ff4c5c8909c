"""Garbage of a job that changes between finding and removing it."""

from jobs.records.request import retry
from jobs.runtime.garbage import remove_garbage
from jobs.services.clean.deletion import delete_job
from jobs.services.clean.garbage import find_garbage
from tests.support.job_states import JOB, job_in_state
from tests.support.memory_store import MemoryStore


def test_a_retried_job_keeps_its_checkpoints() -> None:
    store = MemoryStore()
    keys = job_in_state(store, "failed")
    shard = keys.shard(1, 0, 0)
    store.put(shard, b"tiles")
    (found,) = find_garbage(store, 0, include_resumable=True)
    assert found.keys == (shard,)

    retry(store, JOB)
    assert not remove_garbage(store, found)
    assert shard in store.objects


def test_the_garbage_of_a_deleted_job_is_skipped() -> None:
    store = MemoryStore()
    keys = job_in_state(store, "succeeded")
    store.put(keys.input, b"tiles")
    (found,) = find_garbage(store, 0, include_resumable=False)
    delete_job(store, JOB)
    assert not remove_garbage(store, found)
