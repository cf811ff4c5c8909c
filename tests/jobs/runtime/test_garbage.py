"""What was waste when it was found, and is none any more when it is removed."""

from jobs.records.request import retry
from jobs.runtime.garbage import remove_garbage
from jobs.services.clean.deletion import delete
from jobs.services.clean.garbage import find_garbage
from tests.support.job_states import JOB, job_in_state
from tests.support.memory_store import MemoryStore


def test_a_job_that_is_wanted_again_keeps_its_checkpoints() -> None:
    store = MemoryStore()
    keys = job_in_state(store, "failed")
    shard = keys.shard(1, 0, 0)
    store.put(shard, b"tiles")
    (found,) = find_garbage(store, 0, of_all=True)
    assert found.keys == (shard,)

    retry(store, JOB)
    assert not remove_garbage(store, found)
    assert shard in store.objects


def test_a_job_that_is_deleted_meanwhile_is_no_matter() -> None:
    store = MemoryStore()
    keys = job_in_state(store, "succeeded")
    store.put(keys.input, b"tiles")
    (found,) = find_garbage(store, 0, of_all=False)
    delete(store, JOB)
    assert not remove_garbage(store, found)
